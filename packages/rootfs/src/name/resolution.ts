import type { EntryType } from '@c2m/plugin-api'
import { joinPath } from './path.js'

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40

export interface Found {
  readonly type: EntryType
  readonly linkTarget?: string
}

export interface ResolutionOptions {
  readonly followLast: boolean
  /** Go on by name alone below a directory that does not exist, as someone who is about to make it would. */
  readonly keepMissing?: boolean
}

export type Resolution =
  { readonly outcome: 'found' | 'missing' | 'not a directory'; readonly path: string } | { readonly outcome: 'loop' }

/**
 * Resolves a path as chroot(2) would: links are followed inside the tree, absolute targets start at its root, '..' stops
 * there. Yields each path it wants to know about (free of links, except for its last name) and takes what is found there,
 * so that one algorithm serves trees in memory and trees that must be asked asynchronously.
 */
function* resolution(path: string, options: ResolutionOptions): Generator<string, Resolution, Found | undefined> {
  const todo = path.split('/').reverse()
  let resolved: string[] = []
  let existing = 0
  let links = 0
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      resolved.pop()
      existing = Math.min(existing, resolved.length)
      continue
    }
    const here = resolved.length === 0 ? name : joinPath(resolved.join('/'), name)
    const found = existing === resolved.length ? yield here : undefined
    if (found?.type === 'symlink' && (todo.length > 0 || options.followLast)) {
      const target = found.linkTarget ?? ''
      if (++links > MAX_LINKS) return { outcome: 'loop' }
      if (target.startsWith('/')) {
        resolved = []
        existing = 0
      }
      todo.push(...target.split('/').reverse())
      continue
    }
    if (found === undefined && todo.length > 0 && options.keepMissing !== true)
      return { outcome: 'missing', path: here }
    if (found !== undefined && found.type !== 'directory' && todo.length > 0) {
      return { outcome: 'not a directory', path: here }
    }
    resolved.push(name)
    if (found !== undefined) existing = resolved.length
  }
  return { outcome: existing === resolved.length ? 'found' : 'missing', path: resolved.join('/') }
}

export function resolveSync(
  lookUp: (path: string) => Found | undefined,
  path: string,
  options: ResolutionOptions,
): Resolution {
  const steps = resolution(path, options)
  let step = steps.next()
  while (step.done !== true) step = steps.next(lookUp(step.value))
  return step.value
}

export async function resolveAsync(
  lookUp: (path: string) => Promise<Found | undefined>,
  path: string,
  options: ResolutionOptions,
): Promise<Resolution> {
  const steps = resolution(path, options)
  let step = steps.next()
  while (step.done !== true) step = steps.next(await lookUp(step.value))
  return step.value
}
