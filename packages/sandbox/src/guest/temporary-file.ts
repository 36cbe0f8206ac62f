import type { Rootfs, TemporaryFileStep } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import { cleanPath } from '@c2m/rootfs'
import { readFile } from 'node:fs/promises'

export type TemporaryFile = Pick<TemporaryFileStep, 'path' | 'content' | 'mode'>

/** A place in the tree whose directory holds no symlink. */
export interface Place {
  readonly directory: string
  readonly name: string
}

/** What the host lends for the time of the session: its resolver, and names for localhost when the image has none. */
export async function lentFiles(base: Rootfs): Promise<TemporaryFile[]> {
  const files: TemporaryFile[] = []
  const resolver = await readFile('/etc/resolv.conf', 'utf8').catch(() => undefined)
  if (resolver !== undefined) files.push({ path: '/etc/resolv.conf', content: resolver, mode: 0o644 })
  if ((await base.resolve('etc/hosts')) === undefined) {
    files.push({ path: '/etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n', mode: 0o644 })
  }
  return files
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
