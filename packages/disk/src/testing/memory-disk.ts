import { checkBounds } from '../block/bounds.js'
import type { BlockTarget } from '../block/target.js'
import type { ReadBytes } from '../partition-table/found.js'

export interface MemoryDisk extends BlockTarget {
  readonly bytes: Buffer
  readonly read: ReadBytes
}

/** A small disk in memory that, like a real one, refuses what lies outside. */
export function memoryDisk(size: number): MemoryDisk {
  const bytes = Buffer.alloc(size)
  return diskOf(bytes)
}

export function diskOf(bytes: Buffer): MemoryDisk {
  return {
    bytes,
    size: bytes.length,
    async write(offset, data) {
      checkBounds(bytes.length, offset, data.length)
      bytes.set(data, offset)
    },
    async read(offset, length) {
      checkBounds(bytes.length, offset, length)
      return bytes.subarray(offset, offset + length)
    },
  }
}
