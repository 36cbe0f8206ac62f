import { checkBounds } from './bounds.js'
import type { BlockSource } from './source.js'

/**
 * A byte range of a source, seen as a source of its own: a partition of a disk.
 * @throws C2M_DISK_BOUNDS when the range, or later a read, would leave what it lies in
 */
export function sourceRegion(source: BlockSource, offset: number, size: number): BlockSource {
  checkBounds(source.size, offset, size)
  return {
    size,
    async read(at, target) {
      checkBounds(size, at, target.length)
      await source.read(offset + at, target)
    },
    async *data(at, length) {
      checkBounds(size, at, length)
      for await (const part of source.data(offset + at, length)) {
        yield { offset: part.offset - offset, length: part.length }
      }
    },
  }
}
