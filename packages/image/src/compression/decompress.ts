import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { filter, isC2mError, requireTool } from '@c2m/process'
import type { Compression } from '../manifest/media-type.js'
import { MAGIC_BYTES, peek, sniffCompression } from './magic.js'

const CHUNK = 512 * 1024
/**
 * Memory that unpacking may take: eight times what xz -9 and zstd --ultra -22 need, an eighth of what their formats let
 * a few bytes ask for. In zstd it is the window that counts.
 */
const MEMORY_LOG = 29
const MEMORY = 2 ** MEMORY_LOG
/** zstd.h's ZSTD_d_windowLogMax, which the types of the oldest supported Node lack. */
const ZSTD_WINDOW_LOG_MAX = 100
/** What xz, zstd and zlib say when the data asks for more. */
const TOO_MUCH_MEMORY = /Memory usage limit reached|too much memory|Window size larger than maximum/

/** The compressed data is broken or asks for too much, as opposed to the source that it is read from. */
export class DecompressionError extends Error {
  constructor(
    readonly compression: Compression,
    cause: unknown,
  ) {
    const isGreedy = TOO_MUCH_MEMORY.test(String(cause))
    super(
      isGreedy
        ? `${compression} data that takes more than ${MEMORY} bytes of memory to unpack`
        : `not valid ${compression} data`,
      { cause },
    )
  }
}

/**
 * Unpacks whatever the magic number says: gzip with zlib; zstd with zlib where Node has it (22.15), else with the
 * program; xz and bzip2 with their programs. The source is read to its end also when the compressed data ends before
 * (padding), so that a digest over it is complete.
 * @throws DecompressionError; C2M_TOOL_MISSING; what the source throws
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peek(source, MAGIC_BYTES)
  const compression = sniffCompression(head)
  if (compression === 'none') {
    yield* whole
    return
  }
  // for-await ends its iterator when it is left; what follows the compressed data has still to be read
  const rest = { [Symbol.asyncIterator]: () => ({ next: () => whole.next() }) }
  try {
    yield* await unpacked(compression, rest, options.signal)
    for await (const _ of rest); // padding
  } catch (error) {
    if (error instanceof DecompressionError) for await (const _ of rest); // a wrong digest is the better explanation
    throw error
  } finally {
    await whole.return(undefined)
  }
}

async function unpacked(
  compression: Compression,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<AsyncGenerator<Uint8Array>> {
  if (compression === 'gzip') return throughTransform(zlib.createGunzip({ chunkSize: CHUNK }), source, compression)
  if (compression === 'zstd') {
    const create = (zlib as { createZstdDecompress?: (options: object) => Transform }).createZstdDecompress
    if (create !== undefined) {
      const options = { chunkSize: CHUNK, params: { [ZSTD_WINDOW_LOG_MAX]: MEMORY_LOG } }
      return throughTransform(create(options), source, compression)
    }
    const program = await requireTool('zstd', 'reading zstd-compressed layers with this version of Node', 'zstd')
    return throughProgram(program, ['-dcq', `--memory=${MEMORY}`, '-'], source, compression, signal)
  }
  if (compression === 'xz') {
    return throughProgram(
      await requireTool('xz', 'reading .xz files', 'xz-utils'),
      ['-dc', `--memlimit-decompress=${MEMORY}`],
      source,
      compression,
      signal,
    )
  }
  return throughProgram(await requireTool('bzip2', 'reading .bz2 files', 'bzip2'), ['-dc'], source, compression, signal)
}

async function* throughProgram(
  file: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* filter(file, args, source, { signal })
  } catch (error) {
    throw isC2mError(error) && error.code === 'C2M_COMMAND_FAILED' ? new DecompressionError(compression, error) : error
  }
}

/** Feeds a zlib stream by hand: `pipeline` would hang or fail on bytes that follow the end of the compressed data. */
async function* throughTransform(
  transform: Transform,
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  let sourceError: unknown
  let ended = false
  transform.once('end', () => (ended = true))
  const stopped = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) transform.once(event, () => resolve())
  })
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (ended || transform.destroyed) return
        if (transform.write(chunk)) continue
        await Promise.race([new Promise((resolve) => transform.once('drain', resolve)), stopped])
      }
      transform.end()
    } catch (error) {
      sourceError = error
      transform.destroy()
    }
  })()
  try {
    for await (const chunk of transform) yield chunk as Uint8Array
  } catch (error) {
    await feeding
    throw (sourceError as Error | undefined) ?? new DecompressionError(compression, error)
  } finally {
    transform.destroy()
    await feeding
  }
  if (sourceError !== undefined) throw sourceError as Error
}
