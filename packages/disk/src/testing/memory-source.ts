import { checkBounds } from '../block/bounds.js'
import type { BlockSource, ByteRange } from '../block/source.js'

/** A small disk in memory. @param data where it says to have data; default: everywhere */
export function memorySource(bytes: Uint8Array, data?: readonly ByteRange[]): BlockSource {
  return {
    size: bytes.length,
    async read(offset, target) {
      checkBounds(bytes.length, offset, target.length)
      target.set(bytes.subarray(offset, offset + target.length))
    },
    async *data(offset, length) {
      checkBounds(bytes.length, offset, length)
      for (const part of data ?? [{ offset: 0, length: bytes.length }]) {
        const start = Math.max(offset, part.offset)
        const end = Math.min(offset + length, part.offset + part.length)
        if (start < end) yield { offset: start, length: end - start }
      }
    },
  }
}
