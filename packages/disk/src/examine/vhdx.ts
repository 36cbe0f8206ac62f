import { C2mError } from '@c2m/process'
import { guidFromBytes } from '../partition-table/guid.js'
import type { ExaminedImage } from './examined.js'
import type { ImageFile } from './image-file.js'

/**
 * VHDX ([MS-VHDX]), little-endian:
 *
 *     0 "vhdxfile"    64 KiB, 128 KiB headers    192 KiB, 256 KiB region tables    then log, BAT, metadata, blocks
 *
 *     region table     0 "regi"  8 u32 entries  16 entries: GUID, u64 offset, u32 length, u32 required    (2.2.3)
 *     metadata table   0 "metadata"  10 u16 entries  32 entries: GUID, u32 offset, u32 length, u32 flags, u32 (2.6.1)
 *     BAT              u64 for each block: bits 0–2 state, bits 20–63 offset in MiB; after each `chunk ratio` blocks
 *                      one more, for a bitmap that only differencing disks have                           (2.5)
 */
const SIGNATURE = 'vhdxfile'
/** QEMU reads this one. */
const REGION_TABLE = 192 * 1024
const MAX_REGIONS = 2047
const MAX_METADATA = 2047
const MIB = 1024 * 1024
const Region = { bat: '2dc27766-f623-4200-9d64-115e9bfd4a08', metadata: '8b7ca206-4790-4b9a-b8fe-575f050f886e' }
const Item = {
  parameters: 'caa16737-fa36-4d43-b3b6-33f0aa44e76b',
  diskSize: '2fa54224-cd1b-4876-b211-5dbed83bf4b8',
  sectorSize: '8141bf1d-a96f-4709-ba47-f233a8faab5f',
}
const HAS_PARENT = 2
const FULLY_PRESENT = 6

interface Extent {
  readonly offset: number
  readonly length: number
}

/** @throws C2M_DISK_FORMAT when it is none, C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_UNSUPPORTED, C2M_DISK_TOO_LARGE */
export async function examineVhdx(file: ImageFile): Promise<ExaminedImage> {
  const start = await file.read(0, Math.min(file.size, 8), 'its signature')
  if (start.toString('latin1') !== SIGNATURE) {
    throw new C2mError('C2M_DISK_FORMAT', `${file.path} is not a VHDX`, { hint: 'leave the format to be found' })
  }
  const regions = await readRegions(file)
  const bat = need(file, regions, Region.bat, 'block table')
  const metadata = need(file, regions, Region.metadata, 'metadata')
  const items = await readItems(file, metadata)
  const value = async (item: string, length: number, what: string) => {
    const place = need(file, items, item, what)
    return file.read(metadata.offset + place.offset, length, what)
  }
  const parameters = await value(Item.parameters, 8, 'its parameters')
  if ((parameters.readUInt32LE(4) & HAS_PARENT) !== 0) {
    throw file.unsupported(
      'is a differencing VHDX: it holds only what changed since a checkpoint',
      'merge it in Hyper-V: Merge-VHD, or delete the checkpoint',
    )
  }
  const diskSize = Number((await value(Item.diskSize, 8, 'its disk size')).readBigUInt64LE(0))
  file.checkDiskSize(diskSize)
  const sectorSize = (await value(Item.sectorSize, 4, 'its sector size')).readUInt32LE(0)
  const blockSize = parameters.readUInt32LE(0)
  if (sectorSize !== 512 && sectorSize !== 4096) throw file.damaged(`its sectors have ${sectorSize} bytes`)
  if (blockSize < MIB || blockSize > 256 * MIB || (blockSize & (blockSize - 1)) !== 0) {
    throw file.damaged(`its blocks have ${blockSize} bytes`)
  }
  await checkBlocks(file, bat, { diskSize, blockSize, chunkRatio: (2 ** 23 * sectorSize) / blockSize })
  return { format: 'vhdx', extents: [], notices: [] }
}

async function readRegions(file: ImageFile): Promise<ReadonlyMap<string, Extent>> {
  const head = await file.read(REGION_TABLE, 16, 'its region table')
  if (head.toString('latin1', 0, 4) !== 'regi') throw file.damaged('its region table has no signature')
  const count = head.readUInt32LE(8)
  if (count > MAX_REGIONS) throw file.damaged(`its region table has ${count} entries`)
  const entries = await file.read(REGION_TABLE + 16, count * 32, 'its region table')
  const regions = new Map<string, Extent>()
  for (let at = 0; at < entries.length; at += 32) {
    const region = {
      offset: Number(entries.readBigUInt64LE(at + 16)),
      length: entries.readUInt32LE(at + 24),
    }
    file.mustHold(region.offset, region.length, 'a region')
    regions.set(guidFromBytes(entries.subarray(at, at + 16)), region)
  }
  return regions
}

async function readItems(file: ImageFile, metadata: Extent): Promise<ReadonlyMap<string, Extent>> {
  const head = await file.read(metadata.offset, 32, 'its metadata')
  if (head.toString('latin1', 0, 8) !== 'metadata') throw file.damaged('its metadata has no signature')
  const count = head.readUInt16LE(10)
  if (count > MAX_METADATA) throw file.damaged(`its metadata has ${count} entries`)
  const entries = await file.read(metadata.offset + 32, count * 32, 'its metadata')
  const items = new Map<string, Extent>()
  for (let at = 0; at < entries.length; at += 32) {
    items.set(guidFromBytes(entries.subarray(at, at + 16)), {
      offset: entries.readUInt32LE(at + 16),
      length: entries.readUInt32LE(at + 20),
    })
  }
  return items
}

function need(file: ImageFile, places: ReadonlyMap<string, Extent>, guid: string, what: string): Extent {
  const place = places.get(guid)
  if (place === undefined) throw file.damaged(`it has no ${what}`)
  return place
}

async function checkBlocks(
  file: ImageFile,
  bat: Extent,
  { diskSize, blockSize, chunkRatio }: { diskSize: number; blockSize: number; chunkRatio: number },
): Promise<void> {
  const blocks = Math.ceil(diskSize / blockSize)
  const entries = blocks + Math.floor(Math.max(0, blocks - 1) / chunkRatio)
  if (entries * 8 > bat.length) throw file.damaged(`its block table has no room for ${blocks} blocks`)
  let entry = 0
  for await (const piece of file.readTable(bat.offset, entries, 8, 'its block table')) {
    for (let at = 0; at < piece.length; at += 8, entry++) {
      const isBitmap = entry % (chunkRatio + 1) === chunkRatio
      if (isBitmap || (piece.readUInt8(at) & 7) < FULLY_PRESENT) continue
      const block = entry - Math.floor(entry / (chunkRatio + 1))
      const offset = piece.readUInt32LE(at + 4) * 2 ** 32 + ((piece.readUInt32LE(at) & 0xfff00000) >>> 0)
      // of the last block, only what the disk has need be there
      const length = Math.min(blockSize, diskSize - block * blockSize)
      file.mustHold(offset, length, `block ${block}`)
    }
  }
}
