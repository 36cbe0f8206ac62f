import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Rootfs } from '@c2m/plugin-api'
import { C2mError, fileError, settledVersion, throwIfAborted, type Reporter } from '@c2m/process'
import { indexLayer, isTarHeader, mergeLayers } from '@c2m/rootfs'
import { blankError, isBlankDisk, refuseBlank, TAR_BLOCK } from './blank.js'
import { decompress, DecompressionError } from '../compression/decompress.js'
import { sniffCompression } from '../compression/magic.js'
import { checkRatio } from '../store/limits.js'
import { spool, type ImageStore } from '../store/store.js'

export interface ArchiveContext {
  readonly store: ImageStore
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
  readonly maxUnpackedBytes: number
}

/** A tar file that can be read at any place. */
export interface SeekableTar {
  /** The file itself, or, when it is compressed, its unpacked copy in the cache's temporary folder. */
  readonly path: string
  /** For messages: the file as the user named it. */
  readonly origin: string
  /** Says which file it is, before it was read (settledVersion). */
  readonly version: string | undefined
}

/** @throws C2M_FILE_…; C2M_IMAGE_ARCHIVE; C2M_IMAGE_TOO_LARGE; C2M_CACHE_FULL */
export async function seekableTar(origin: string, context: ArchiveContext): Promise<SeekableTar> {
  const version = await settledVersion(origin)
  const { head, size } = await readHead(origin)
  if (sniffCompression(head) === 'none') {
    if (isBlankDisk(head, size)) throw blankError(origin)
    checkIsTar(head, origin)
    return { path: origin, origin, version }
  }
  const { path } = await spoolTar(readFileChunks(origin), origin, context)
  return { path, origin, version }
}

/** Unpacks (when compressed) a tar that can be read only once. */
export async function spoolTar(
  source: AsyncIterable<Uint8Array>,
  origin: string,
  context: ArchiveContext,
): Promise<{ path: string; size: number; digest: string }> {
  const { store, reporter, signal, maxUnpackedBytes } = context
  let packed = 0
  let size = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      packed += chunk.length
      yield chunk
    }
  }
  try {
    return await spool(store, refuseBlank(decompress(counted(), { signal }), origin), (length) => {
      throwIfAborted(signal)
      reporter.progress(length)
      size += length
      checkRatio(packed, size, origin)
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
  return mergeLayers([await indexLayer(path, { signal })], signal)
}

export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}

async function readHead(path: string): Promise<{ head: Uint8Array; size: number }> {
  try {
    const file = await open(path, 'r')
    try {
      const head = new Uint8Array(TAR_BLOCK)
      const { bytesRead } = await file.read(head, 0, head.length, 0)
      return { head: head.subarray(0, bytesRead), size: (await file.stat()).size }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}

/** Disk images are what people confuse with archives; say so before the tar reader complains, or all of it is hashed. */
function checkIsTar(head: Uint8Array, path: string): void {
  const text = Buffer.from(head).toString('latin1')
  const isDisk = ['QFI\xfb', 'KDMV', 'conectix', 'vhdxfile', '<<<'].some((magic) => text.startsWith(magic))
  const isEmptyTar = head.every((byte) => byte === 0)
  if (!isDisk && head.length === TAR_BLOCK && (isEmptyTar || isTarHeader(head))) return
  const what = isDisk
    ? 'a disk, not an image archive'
    : head.length < TAR_BLOCK
      ? 'too short to be a tar archive'
      : 'not a tar archive'
  throw new C2mError('C2M_IMAGE_ARCHIVE', `${path} is ${what}`, {
    hint: isDisk ? 'c2m vm2container turns a disk into an image' : 'name a tar archive or an image',
  })
}
