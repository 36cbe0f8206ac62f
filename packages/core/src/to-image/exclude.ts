import type { Rootfs } from '@c2m/plugin-api'
import { compileGlobs } from '@c2m/rootfs'

/** A user's glob, absolute as those of rules. */
export function fromRoot(glob: string): string {
  return glob.startsWith('/') ? glob : `/${glob}`
}

/**
 * Globs that name nothing in a tree: whoever gave them believes that something stays behind.
 */
export async function unmatchedGlobs(rootfs: Rootfs, globs: readonly string[]): Promise<readonly string[]> {
  let waiting = globs.map((glob) => ({ glob, matches: compileGlobs([fromRoot(glob)]) }))
  if (waiting.length === 0) return []
  for await (const { path } of rootfs.walk()) {
    waiting = waiting.filter(({ matches }) => !matches(path))
    if (waiting.length === 0) break
  }
  return waiting.map(({ glob }) => glob)
}
