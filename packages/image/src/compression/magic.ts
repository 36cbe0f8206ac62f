import { isTarHeader } from '@c2m/rootfs'
import type { Compression } from '../manifest/media-type.js'

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]], // RFC 1952, 2.3.1
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]], // RFC 8878, 3.1.1
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]], // The .xz File Format, 2.1.1.1
  ['bzip2', [0x42, 0x5a, 0x68]],
]

/** A tar's header, longer than any magic number. */
export const MAGIC_BYTES = 512

/**
 * What the first bytes say. A skippable zstd frame (0x184D2A50 to 0x184D2A5F, RFC 8878 section 3.1.2) begins what
 * seekable zstd writers (zstd:chunked) make. A tar is one though its first name begins like any of these.
 */
export function sniffCompression(head: Uint8Array): Compression {
  const compression = byMagic(head)
  return compression !== 'none' && isTarHeader(head) ? 'none' : compression
}

function byMagic(head: Uint8Array): Compression {
  const found = MAGIC.find(([, magic]) => magic.every((byte, index) => head[index] === byte))
  if (found !== undefined) return found[0]
  const skippable =
    head[0] !== undefined && (head[0] & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18
  return skippable ? 'zstd' : 'none'
}

/** Reads at least the first `count` bytes, where there are so many, and gives them with the whole source. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  count: number,
): Promise<{ head: Uint8Array; whole: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < count) {
    const next = await iterator.next()
    if (next.done === true) break
    chunks.push(next.value)
    length += next.value.length
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks.splice(0)
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, count), whole: whole() }
}
