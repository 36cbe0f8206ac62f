import { throwIfAborted } from '@c2m/process'
import { joinCrc32 } from './crc32.js'
import { openGzipPool, type Block, type PackedBlock } from './gzip-pool.js'

export interface GzipOptions {
  /** 1 to 9; default 6. */
  readonly level?: number
  readonly signal?: AbortSignal
  /** Default: one for each core. The output does not depend on it. */
  readonly workers?: number
}

/** What one worker compresses at a time. Part of the output's identity: another size gives other bytes. */
const BLOCK = 512 * 1024
/** How far back deflate can refer (RFC 1951, 2). */
const WINDOW = 32 * 1024

/** RFC 1952, 2.3: magic, deflate, no flags, no time, no extra flags, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** An empty last block with fixed codes (RFC 1951, 3.2.6). */
const LAST_BLOCK = Uint8Array.of(3, 0)

/**
 * Compresses on all cores into one gzip member (RFC 1952). As in pigz, blocks are compressed independently, each knowing
 * the 32 KiB before it, and joined at byte boundaries:
 *
 *     header | block, sync flush | block, sync flush | … | empty last block | CRC-32 | size mod 2^32
 *
 * At most a few blocks for each worker are in memory; the workers end with the reader. Chunks of the source may be reused,
 * those given are the caller's to keep.
 * @throws C2M_INTERRUPTED; what the source throws
 */
export async function* gzip(source: AsyncIterable<Uint8Array>, options: GzipOptions = {}): AsyncGenerator<Uint8Array> {
  const { level = 6, signal, workers } = options
  await using pool = openGzipPool(level, workers)
  const queue: { packed: Promise<PackedBlock>; length: number }[] = []
  const buffers: ArrayBuffer[] = []
  let crc = 0
  let size = 0
  const oldest = async (): Promise<Uint8Array> => {
    const block = queue.shift()!
    const packed = await block.packed
    buffers.push(packed.buffer)
    crc = joinCrc32(crc, packed.crc, block.length)
    size += block.length
    return new Uint8Array(packed.buffer.slice(0, packed.length))
  }

  yield HEADER
  for await (const block of cutBlocks(source, () => buffers.pop())) {
    throwIfAborted(signal)
    const packed = pool.pack(block)
    packed.catch(() => undefined) // thrown when its turn comes
    queue.push({ packed, length: block.length })
    if (queue.length >= pool.depth) yield await oldest()
  }
  while (queue.length > 0) {
    throwIfAborted(signal)
    yield await oldest()
  }
  yield LAST_BLOCK
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  yield trailer
}

/** Blocks of equal size, whatever the source's chunks are, each behind the end of the one before it. */
async function* cutBlocks(
  source: AsyncIterable<Uint8Array>,
  reuse: () => ArrayBuffer | undefined,
): AsyncGenerator<Block> {
  const next = (before: Uint8Array) => {
    const bytes = new Uint8Array(reuse() ?? new ArrayBuffer(WINDOW + BLOCK))
    bytes.set(before)
    return { bytes, dictionary: before.length, end: before.length }
  }
  const block = ({ bytes, dictionary, end }: ReturnType<typeof next>): Block => ({
    buffer: bytes.buffer,
    dictionary,
    length: end - dictionary,
  })
  let current = next(new Uint8Array(0))
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + current.dictionary + BLOCK - current.end)
      current.bytes.set(part, current.end)
      current.end += part.length
      at += part.length
      if (current.end < current.dictionary + BLOCK) continue
      const full = current
      current = next(full.bytes.subarray(full.end - WINDOW, full.end))
      yield block(full)
    }
  }
  if (current.end > current.dictionary) yield block(current)
}
