import type { FilePlace } from '@c2m/plugin-api'
import { extlinuxError } from './error.js'

export const SECTOR = 512

/** Where the second sector of the loader is loaded; the boot sector has loaded the first to 0x8000. */
const LOAD_ADDRESS = 0x8200

/** A BIOS moves no more than 64 KiB, and nothing across a 64 KiB boundary of memory. */
const SEGMENT = 0x10000

/** Sectors of an extent: less than 64 KiB, so that its length in bytes fits 16 bits. */
const MAX_SECTORS = SEGMENT / SECTOR - 1

/** Sectors that lie one after the other on the disk and in memory. */
export interface SectorExtent {
  /** From the start of the partition. */
  readonly lba: number
  /** Sectors. */
  readonly length: number
}

/**
 * The sectors of a file from its start, counted from the start of its partition.
 *
 * @param size bytes; a whole number of sectors
 * @throws C2M_EXTLINUX_PLACE when the file has holes or does not lie on whole sectors
 */
export function sectorsOf(path: string, { extents }: Pick<FilePlace, 'extents'>, size: number): readonly number[] {
  const sectors: number[] = []
  for (const { at, offset, length } of extents) {
    if (sectors.length * SECTOR >= size) break
    if (at !== sectors.length * SECTOR) throw misplaced(path, `has a hole before byte ${at}`)
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % SECTOR !== 0 || length % SECTOR !== 0 || length <= 0) {
      throw misplaced(path, `lies at byte ${offset}, ${length} bytes long: not on whole sectors`)
    }
    const wanted = Math.min(length, size - at)
    for (let done = 0; done < wanted; done += SECTOR) sectors.push((offset + done) / SECTOR)
  }
  if (sectors.length * SECTOR !== size) throw misplaced(path, `has ${sectors.length} sectors for ${size} bytes`)
  return sectors
}

/** The sectors that the loader's first sector reads, as few extents as memory allows: those of its second sector on. */
export function loadExtents(sectors: readonly number[]): readonly SectorExtent[] {
  const extents: { lba: number; length: number }[] = []
  sectors.forEach((lba, index) => {
    const last = extents.at(-1)
    const newSegment = (LOAD_ADDRESS + index * SECTOR) % SEGMENT === 0
    if (last === undefined || newSegment || last.length === MAX_SECTORS || lba !== last.lba + last.length) {
      extents.push({ lba, length: 1 })
    } else last.length++
  })
  return extents
}

function misplaced(path: string, because: string): Error {
  return extlinuxError(
    'C2M_EXTLINUX_PLACE',
    `EXTLINUX cannot be started from ${path}: the file ${because}`,
    'this is a fault of c2m or of its file system writer: please report it',
  )
}
