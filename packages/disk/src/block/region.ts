import { checkBounds } from './bounds.js'
import type { BlockTarget } from './target.js'

/**
 * A byte range of a target, seen as a target of its own: a partition of a disk.
 * @throws C2M_DISK_BOUNDS when the range, or later a write, would leave what it lies in
 */
export function region(target: BlockTarget, offset: number, size: number): BlockTarget {
  checkBounds(target.size, offset, size)
  return {
    size,
    async write(at, data) {
      checkBounds(size, at, data.length)
      await target.write(offset + at, data)
    },
  }
}
