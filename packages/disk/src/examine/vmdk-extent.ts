import type { ImageFile } from './image-file.js'

/**
 * Sparse extent of a VMDK (VMware, Virtual Disk Format 5.0, "Hosted Sparse Extents"), little-endian:
 *
 *      0 "KDMV"         20 u64 grain size    44 u32 entries of a grain table   64 u64 overhead
 *      4 u32 version    28 u64 descriptor    48 u64 redundant directory        77 u16 compression
 *      8 u32 flags      36 u64 its size      56 u64 grain directory
 *     12 u64 capacity
 *
 * Sizes and places are in sectors. The directory has a u32 for each grain table, the table one for each grain: its
 * sector, or 0 none, 1 zeros. Stream-optimized extents are compressed; each grain then begins with a marker (u64 sector
 * of the disk, u32 bytes that follow), and the directory's place may be in a footer before the last sector:
 *
 *     … grains, tables | marker of the footer | footer, a second header | end-of-stream marker, zeros |
 */
export interface VmdkExtentHeader {
  /** Bytes of the disk that it holds. */
  readonly size: number
  readonly compressed: boolean
  /** Bytes. */
  readonly descriptor?: { readonly offset: number; readonly length: number }
}

const SECTOR = 512
const HEADER_SIZE = 512
const MAGIC = 'KDMV'
const DIRECTORY_AT_END = 0xffffffffffffffffn
const FLAG_COMPRESSED = 0x10000
const FOOTER_MARKER = 3
/** QEMU's limits. */
const MAX_TABLE_ENTRIES = 512
const MAX_GRAIN_SECTORS = 0x200000
const MAX_DESCRIPTOR = 1024 * 1024

/** True when the file begins as a sparse extent. */
export function isVmdkExtent(start: Buffer): boolean {
  return start.length >= 4 && start.toString('latin1', 0, 4) === MAGIC
}

/** Checks that the extent has all that its tables point to. @throws C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_TOO_LARGE */
export async function examineVmdkExtent(file: ImageFile): Promise<VmdkExtentHeader> {
  const first = await file.read(0, HEADER_SIZE, 'its header')
  if (!isVmdkExtent(first)) throw file.damaged('it is not a sparse VMDK extent')
  const compressed = (first.readUInt32LE(8) & FLAG_COMPRESSED) !== 0
  const atEnd = first.readBigUInt64LE(56) === DIRECTORY_AT_END
  const header = atEnd ? await readFooter(file) : first
  const capacity = Number(header.readBigUInt64LE(12))
  // QEMU would take such an extent for a descriptor that names others
  if (capacity === 0 || first.readBigUInt64LE(12) === 0n) throw file.damaged('it holds nothing')
  file.checkDiskSize(capacity * SECTOR)
  await checkGrains(file, header, capacity, compressed)
  const descriptor = descriptorOf(file, first)
  return { size: capacity * SECTOR, compressed, ...(descriptor === undefined ? {} : { descriptor }) }
}

async function readFooter(file: ImageFile): Promise<Buffer> {
  const end = await file.read(Math.max(0, file.size - 3 * SECTOR), Math.min(file.size, 3 * SECTOR), 'its footer')
  const whole =
    end.length === 3 * SECTOR &&
    end.readUInt32LE(8) === 0 &&
    end.readUInt32LE(12) === FOOTER_MARKER &&
    isVmdkExtent(end.subarray(SECTOR)) &&
    end.readUInt32LE(2 * SECTOR + 8) === 0 &&
    end.readUInt32LE(2 * SECTOR + 12) === 0
  if (!whole) throw file.truncated('the footer', file.size + SECTOR)
  const footer = end.subarray(SECTOR, 2 * SECTOR)
  if (footer.readBigUInt64LE(56) === DIRECTORY_AT_END) throw file.damaged('its footer names no directory')
  return footer
}

function descriptorOf(file: ImageFile, header: Buffer): VmdkExtentHeader['descriptor'] {
  const offset = Number(header.readBigUInt64LE(28)) * SECTOR
  const length = Number(header.readBigUInt64LE(36)) * SECTOR
  if (offset === 0 || length === 0) return undefined
  if (length > MAX_DESCRIPTOR) throw file.damaged(`its descriptor has ${length} bytes`)
  file.mustHold(offset, length, 'its descriptor')
  return { offset, length }
}

async function checkGrains(file: ImageFile, header: Buffer, capacity: number, compressed: boolean): Promise<void> {
  const grainSectors = Number(header.readBigUInt64LE(20))
  const perTable = header.readUInt32LE(44)
  if (grainSectors < 1 || grainSectors > MAX_GRAIN_SECTORS || (grainSectors & (grainSectors - 1)) !== 0) {
    throw file.damaged(`its grains have ${grainSectors} sectors`)
  }
  if (perTable < 1 || perTable > MAX_TABLE_ENTRIES) throw file.damaged(`its grain tables have ${perTable} entries`)
  const grains = Math.ceil(capacity / grainSectors)
  const directory = Number(header.readBigUInt64LE(56)) * SECTOR
  let last = 0
  let grain = 0
  for await (const piece of file.readTable(directory, Math.ceil(grains / perTable), 4, 'its grain directory')) {
    for (let at = 0; at < piece.length; at += 4, grain += perTable) {
      const table = piece.readUInt32LE(at) * SECTOR
      if (table === 0) continue
      const entries = Math.min(perTable, grains - grain)
      for await (const part of file.readTable(table, entries, 4, 'a grain table')) {
        for (let index = 0; index < entries; index++) {
          const sector = part.readUInt32LE(index * 4)
          if (sector < 2) continue
          // of the last grain, only what the disk has need be there
          const sectors = Math.min(grainSectors, capacity - (grain + index) * grainSectors)
          file.mustHold(sector * SECTOR, compressed ? 12 : sectors * SECTOR, `grain ${grain + index}`)
          last = Math.max(last, sector)
        }
      }
    }
  }
  if (compressed && last > 0) await checkCompressedGrain(file, last * SECTOR)
}

/** The one that lies last is enough: all others end before it begins. */
async function checkCompressedGrain(file: ImageFile, offset: number): Promise<void> {
  const marker = await file.read(offset, 12, 'a compressed grain')
  file.mustHold(offset, 12 + marker.readUInt32LE(8), 'a compressed grain')
}
