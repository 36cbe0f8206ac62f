import type { ByteRange } from '../block/source.js'
import { alignUp } from '../block/units.js'

const MIB = 1024 * 1024
/** Tables, the boot code's gap, and the labels of LVM, MD and the like lie in here. */
const HEAD = MIB
/** GPT's backup and what RAIDs, ZFS and file systems keep at the end of a disk or of its last partition, which ends before. */
const TAIL = 4 * MIB

export interface WrittenRanges {
  /** The partitions, to the end of the last file system. */
  readonly body: readonly ByteRange[]
  /** The ends of the disk, which hold the table and its backup. */
  readonly ends: readonly ByteRange[]
}

/**
 * The parts of a device that are written, zeros included; in between its old bytes stay, in what is the last partition's free
 * space:
 *
 *     | head | partitions, to the end of the root's file system | old bytes | tail |
 *
 * @param size bytes of the device
 * @param end bytes from the start of the disk to the end of the last file system
 */
export function writtenRanges(size: number, end: number): WrittenRanges {
  const front = Math.min(size, Math.max(HEAD, alignUp(end, MIB)))
  const tail = Math.max(front, size - TAIL)
  const some = (ranges: readonly ByteRange[]) => ranges.filter(({ length }) => length > 0)
  return {
    body: some([{ offset: HEAD, length: front - HEAD }]),
    ends: some([
      { offset: 0, length: Math.min(HEAD, size) },
      { offset: tail, length: size - tail },
    ]),
  }
}
