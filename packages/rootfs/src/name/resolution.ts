import type { EntryType } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40
/**
 * Names that the links on one way may add to it. Linux bounds them only by 40 links of 4095 bytes, which is a hundred
 * thousand steps for one name; no tree that is used needs a thousandth of it.
 */
const MAX_LINK_NAMES = 4096
/** Names that links may add to all the ways that are looked up in one tree. */
const MAX_LINK_NAMES_OF_TREE = 2 ** 24

export interface Found {
  readonly type: EntryType
  readonly linkTarget?: string
}

/** What resolution walks: a name, and what its directory holds. A step costs the same at any depth. */
export interface Step<D> extends Found {
  child(name: string): D | undefined | Promise<D | undefined>
}

export interface ResolutionOptions {
  readonly followLast: boolean
  /** Go on by name alone below a directory that does not exist, as someone who is about to make it would. */
  readonly keepMissing?: boolean
}

/** Where a path leads, free of links. */
export interface Place<D> {
  readonly outcome: 'found'
  readonly path: string
  readonly dentry: D
  /** From the root to what was found. */
  readonly trail: readonly D[]
}

export interface MissingPlace<D> {
  readonly outcome: 'missing'
  readonly path: string
  /** From the root to the last directory that is there. */
  readonly trail: readonly D[]
  /** What is missing in it; with `keepMissing` also what was to be below that. */
  readonly names: readonly string[]
}

export type Resolution<D> =
  | Place<D>
  | MissingPlace<D>
  | { readonly outcome: 'not a directory'; readonly path: string }
  | { readonly outcome: 'loop' }

/** Counts what the links of one tree cost. */
export class LinkBudget {
  #left = MAX_LINK_NAMES_OF_TREE

  /** What was read makes it larger: names that are there are no amplification. */
  allow(names: number): void {
    this.#left += names
  }

  /** @throws C2M_LINKS_TOO_LONG */
  spend(names: number, ofPath: number, path: string): void {
    this.#left -= names
    if (ofPath <= MAX_LINK_NAMES && this.#left >= 0) return
    const what = this.#left < 0 ? 'of the whole tree' : `at ${JSON.stringify(shorten(path))}`
    throw new C2mError(
      'C2M_LINKS_TOO_LONG',
      `following the symbolic links ${what} takes more than ${this.#left < 0 ? MAX_LINK_NAMES_OF_TREE : MAX_LINK_NAMES} names`,
      { hint: 'the image or disk is made to take long; do not use it unless you know why its links are like this' },
    )
  }
}

function shorten(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path
}

/**
 * Resolves a path as chroot(2) would: links are followed inside the tree, absolute targets start at its root, '..' stops
 * there. Yields what a directory answers, perhaps as a promise, and takes the answer itself, so that one algorithm serves
 * trees in memory and trees that must be asked asynchronously.
 */
function* resolution<D extends Step<D>>(
  top: D,
  path: string,
  { followLast, keepMissing = false }: ResolutionOptions,
  budget: LinkBudget,
): Generator<D | undefined | Promise<D | undefined>, Resolution<D>, D | undefined> {
  const todo = path.split('/').reverse()
  const trail: D[] = [top]
  const names: string[] = []
  /** Names below the first that is missing. */
  let absent = 0
  let links = 0
  let added = 0
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      names.pop()
      if (absent > 0) absent--
      else if (trail.length > 1) trail.pop()
      continue
    }
    const found = absent > 0 ? undefined : yield trail.at(-1)!.child(name)
    if (found?.type === 'symlink' && (followLast || todo.length > 0)) {
      const target = found.linkTarget ?? ''
      if (++links > MAX_LINKS) return { outcome: 'loop' }
      if (target.startsWith('/')) {
        trail.length = 1
        names.length = 0
      }
      const parts = target.split('/')
      added += parts.length
      budget.spend(parts.length, added, path)
      for (let at = parts.length - 1; at >= 0; at--) todo.push(parts[at]!)
      continue
    }
    names.push(name)
    if (found === undefined) {
      absent++
      if (todo.length > 0 && !keepMissing) break
    } else if (found.type !== 'directory' && todo.length > 0)
      return { outcome: 'not a directory', path: names.join('/') }
    else trail.push(found)
  }
  const full = names.join('/')
  return absent === 0
    ? { outcome: 'found', path: full, dentry: trail.at(-1)!, trail }
    : { outcome: 'missing', path: full, trail, names: names.slice(names.length - absent) }
}

export function resolveSync<D extends Step<D>>(
  top: D & { child(name: string): D | undefined },
  path: string,
  options: ResolutionOptions,
  budget: LinkBudget,
): Resolution<D> {
  const steps = resolution<D>(top, path, options, budget)
  let step = steps.next()
  // its directories answer at once
  while (step.done !== true) step = steps.next(step.value as D | undefined)
  return step.value
}

export async function resolveAsync<D extends Step<D>>(
  top: D,
  path: string,
  options: ResolutionOptions,
  budget: LinkBudget,
): Promise<Resolution<D>> {
  const steps = resolution(top, path, options, budget)
  let step = steps.next()
  while (step.done !== true) step = steps.next(step.value instanceof Promise ? await step.value : step.value)
  return step.value
}
