import { createHash } from 'node:crypto'
import { C2mError, throwIfAborted } from '@c2m/process'
import { readFileChunks, seekableTar, spoolTar, type ArchiveContext } from '../archive/archive.js'

/** A root file system in one tar, seekable on this machine. */
export interface Tarball {
  readonly path: string
  /** Of the uncompressed bytes. */
  readonly digest: string
  /** Bytes, uncompressed. */
  readonly size: number
}

/**
 * Opens a root tar file, compressed or not; '-' reads standard input. An uncompressed file is read where it is.
 * @throws C2M_FILE_…; C2M_IMAGE_ARCHIVE; C2M_IMAGE_TOO_LARGE; C2M_CACHE_FULL
 */
export async function openTarball(
  path: string,
  stdin: AsyncIterable<Uint8Array> | undefined,
  context: ArchiveContext,
): Promise<Tarball> {
  if (path === '-') {
    if (stdin === undefined) {
      throw new C2mError('C2M_IMAGE_NOT_FOUND', 'there is no standard input to read the tarball from', {
        hint: 'name a file',
      })
    }
    return spoolTar(stdin, 'standard input', context)
  }
  const { path: tar } = await seekableTar(path, context)
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of readFileChunks(tar)) {
    throwIfAborted(context.signal)
    hash.update(chunk)
    size += chunk.length
  }
  return { path: tar, digest: `sha256:${hash.digest('hex')}`, size }
}
