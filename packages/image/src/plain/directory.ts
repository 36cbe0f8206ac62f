import { createHash } from 'node:crypto'
import type { Rootfs } from '@c2m/plugin-api'
import { throwIfAborted } from '@c2m/process'

/**
 * Identity of a directory for caches: a digest over every entry's name and metadata. Contents are not read; a change
 * shows in size or mtime, as make(1) sees it.
 */
export async function treeDigest(tree: Rootfs, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  for await (const entry of tree.walk()) {
    throwIfAborted(signal)
    const { path, type, mode, uid, gid, mtime, size, linkTarget, device } = entry
    const xattrs = [...entry.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]).sort()
    // JSON escapes the lone surrogates that stand for invalid bytes, so that different names stay different
    hash.update(
      JSON.stringify([path, type, mode, uid, gid, mtime.seconds, mtime.nanoseconds, size, linkTarget, device, xattrs]),
    )
  }
  return `sha256:${hash.digest('hex')}`
}
