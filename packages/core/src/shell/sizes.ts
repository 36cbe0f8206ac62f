import type { Rootfs } from '@c2m/plugin-api'

/** What takes how much in a tree. */
export interface TreeSizes {
  readonly entries: number
  /** Of all regular files, hard links once. */
  readonly bytes: number
  /** The largest directories with all below them, largest first. */
  readonly directories: readonly { readonly path: string; readonly bytes: number }[]
}

/** Deep enough to see what could go, e.g. usr/share/doc. */
const DEPTH = 3
const LISTED = 10

export async function treeSizes(rootfs: Rootfs): Promise<TreeSizes> {
  const sums = new Map<string, number>()
  const seen = new Set<number>()
  let entries = 0
  let bytes = 0
  for await (const { path, type, size, inode, nlink } of rootfs.walk()) {
    entries++
    if (type !== 'file' || (nlink > 1 && seen.has(inode))) continue
    if (nlink > 1) seen.add(inode)
    bytes += size
    const parts = path.split('/').slice(0, -1)
    for (let depth = 1; depth <= Math.min(parts.length, DEPTH); depth++) {
      const directory = parts.slice(0, depth).join('/')
      sums.set(directory, (sums.get(directory) ?? 0) + size)
    }
  }
  const directories = [...sums]
    .map(([path, bytes]) => ({ path, bytes }))
    .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
    .slice(0, LISTED)
  return { entries, bytes, directories }
}
