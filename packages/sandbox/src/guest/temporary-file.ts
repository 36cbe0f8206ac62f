import type { Rootfs, TemporaryFileStep } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import { cleanPath } from '@c2m/rootfs'

export type TemporaryFile = Pick<TemporaryFileStep, 'path' | 'content' | 'mode'>

/** A place in the tree whose directory holds no symlink. */
export interface Place {
  readonly directory: string
  readonly name: string
}

/** @throws C2M_SANDBOX_PATH when the path is the root, or holds a newline */
export async function placeOf(base: Rootfs, path: string): Promise<Place> {
  const clean = cleanPath(path)
  const name = clean.slice(clean.lastIndexOf('/') + 1)
  if (name === '' || clean.includes('\n')) throw badPath(path)
  return { directory: await settle(base, clean.slice(0, Math.max(clean.lastIndexOf('/'), 0))), name }
}

/** The path with every symlink of the image resolved as far as it exists. */
export async function settle(base: Rootfs, path: string): Promise<string> {
  const clean = cleanPath(path)
  if (clean.includes('\n')) throw badPath(path)
  const missing: string[] = []
  for (let existing = clean; existing !== ''; existing = existing.slice(0, Math.max(existing.lastIndexOf('/'), 0))) {
    const resolved = await base.resolve(existing)
    if (resolved !== undefined) return [resolved, ...missing].filter(Boolean).join('/')
    missing.unshift(existing.slice(existing.lastIndexOf('/') + 1))
  }
  return missing.join('/')
}

function badPath(path: string): C2mError {
  return new C2mError('C2M_SANDBOX_PATH', `${JSON.stringify(path)} is no path for a file in the image`, {
    hint: 'a temporary file or package cache needs an absolute path without newlines',
    exitCode: ExitCode.usage,
  })
}
