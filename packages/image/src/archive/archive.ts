import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Rootfs } from '@c2m/plugin-api'
import { C2mError, fileError, throwIfAborted, type Reporter } from '@c2m/process'
import { indexLayer, mergeLayers } from '@c2m/rootfs'
import { decompress, DecompressionError } from '../compression/decompress.js'
import { MAGIC_BYTES, sniffCompression } from '../compression/magic.js'
import { spool, type ImageStore } from '../store/store.js'

export interface ArchiveContext {
  readonly store: ImageStore
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
  readonly maxUnpackedBytes: number
}

/**
 * A tar file that can be read at any place: the file itself, or, when it is compressed, its unpacked copy in the
 * cache's temporary folder.
 * @throws C2M_FILE_…; C2M_IMAGE_ARCHIVE; C2M_IMAGE_TOO_LARGE; C2M_CACHE_FULL
 */
export async function seekableTar(path: string, context: ArchiveContext): Promise<string> {
  const head = await readHead(path)
  if (sniffCompression(head) === 'none') {
    checkIsTar(head, path)
    return path
  }
  return (await spoolTar(readFileChunks(path), path, context)).path
}

/** Unpacks (when compressed) a tar that can be read only once. */
export async function spoolTar(
  source: AsyncIterable<Uint8Array>,
  origin: string,
  context: ArchiveContext,
): Promise<{ path: string; size: number; digest: string }> {
  const { store, reporter, signal, maxUnpackedBytes } = context
  let size = 0
  try {
    return await spool(store, decompress(source, { signal }), (length) => {
      throwIfAborted(signal)
      reporter.progress(length)
      size += length
      if (size > maxUnpackedBytes) {
        throw new C2mError('C2M_IMAGE_TOO_LARGE', `${origin} unpacks to more than ${maxUnpackedBytes} bytes`, {
          hint: 'it may be made to fill the disk; when you trust it, unpack it yourself and use dir:',
        })
      }
    })
  } catch (error) {
    throwIfAborted(signal)
    if (!(error instanceof DecompressionError)) throw error
    throw new C2mError('C2M_IMAGE_ARCHIVE', `${origin} is ${error.message}`, {
      hint: 'the file is damaged or incomplete; get it again',
      cause: error,
    })
  }
}

/** The members of an uncompressed tar as a tree, without unpacking it. */
export async function openMembers(path: string, signal: AbortSignal | undefined): Promise<Rootfs> {
  return mergeLayers([await indexLayer(path, { signal })])
}

export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const head = new Uint8Array(512)
      const { bytesRead } = await file.read(head, 0, head.length, 0)
      return head.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}

/** Disk images are what people confuse with archives; say so before the tar reader complains of checksums. */
function checkIsTar(head: Uint8Array, path: string): void {
  const text = Buffer.from(head).toString('latin1')
  const disk = ['QFI\xfb', 'KDMV', 'conectix', 'vhdxfile', '<<<'].some((magic) => text.startsWith(magic))
  if (!disk && head.length >= MAGIC_BYTES) return
  throw new C2mError(
    'C2M_IMAGE_ARCHIVE',
    disk ? `${path} is a disk, not an image archive` : `${path} is too short to be a tar archive`,
    {
      hint: disk ? 'c2m vm2container turns a disk into an image' : 'name a tar archive or an image',
    },
  )
}
