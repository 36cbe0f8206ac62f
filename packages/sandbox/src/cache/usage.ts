import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface Usage {
  files: number
  bytes: number
}

/** A file of the cache, or a folder that is one thing. */
export interface CachedFile {
  readonly path: string
  /** As the disk has it: what deleting it frees. */
  readonly bytes: number
  /** Milliseconds since the epoch: when it was read or written last, as far as the file system tells. */
  readonly used: number
}

/** Files at any depth, and links as such; what vanishes meanwhile or cannot be read is passed over. */
export async function* filesBelow(folder: string): AsyncGenerator<CachedFile> {
  if ((await lstat(folder).catch(() => undefined))?.isDirectory() !== true) return
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      yield* filesBelow(path)
      continue
    }
    const found = await lstat(path).catch(() => undefined)
    if (found !== undefined) yield { path, bytes: found.blocks * 512, used: Math.max(found.mtimeMs, found.atimeMs) }
  }
}
