import { C2mError } from '@c2m/process'
import { VHD_FOOTER_SIZE, VHD_TYPE_OFFSET, isVhdFooter } from '../format/vhd-footer.js'
import type { ExaminedImage } from './examined.js'
import type { ImageFile } from './image-file.js'

/**
 * VHD (Microsoft, Virtual Hard Disk Image Format Specification 1.0), big-endian. Fixed: the disk, then the footer.
 * Dynamic: a copy of the footer, which names the header's place at byte 16; the header; the table; blocks; the footer.
 *
 *     header   0 "cxsparse"  16 u64 offset of the table  28 u32 entries of the table  32 u32 bytes of a block
 *
 * The table has a u32 for each block: the sector of its bitmap, which the block follows, or 0xffffffff.
 */
const HEADER_SIZE = 1024
const SECTOR = 512
const CURRENT_SIZE = 48
const DATA_OFFSET = 16
const UNUSED = 0xffffffff
const Type = { fixed: 2, dynamic: 3, differencing: 4 } as const

/** @throws C2M_DISK_FORMAT when it is none, C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_UNSUPPORTED, C2M_DISK_TOO_LARGE */
export async function examineVhd(file: ImageFile): Promise<ExaminedImage> {
  const start = await readFooter(file, 0)
  const end = await readFooter(file, file.size - VHD_FOOTER_SIZE)
  const footer = start ?? end
  if (footer === undefined) {
    throw new C2mError('C2M_DISK_FORMAT', `${file.path} is not a VHD, or its end is missing`, {
      hint: 'copy or download the image again; give the format if it is another one',
    })
  }
  const type = footer.readUInt32BE(VHD_TYPE_OFFSET)
  const diskSize = Number(footer.readBigUInt64BE(CURRENT_SIZE))
  file.checkDiskSize(diskSize)
  if (end === undefined) throw file.truncated('the footer', file.size + VHD_FOOTER_SIZE)
  if (type === Type.fixed) {
    file.mustHold(0, diskSize + VHD_FOOTER_SIZE, 'the disk')
    return { format: 'vhd', variant: 'fixed', extents: [], notices: [] }
  }
  if (type === Type.differencing) {
    throw file.unsupported(
      'is a differencing VHD: it holds only what changed since a snapshot',
      'merge it in Hyper-V (Merge-VHD) or VirtualBox (VBoxManage clonemedium)',
    )
  }
  if (type !== Type.dynamic || start === undefined) throw file.damaged(`its footer tells of a disk of type ${type}`)
  await checkBlocks(file, Number(footer.readBigUInt64BE(DATA_OFFSET)), diskSize)
  return { format: 'vhd', variant: 'dynamic', extents: [], notices: [] }
}

async function readFooter(file: ImageFile, offset: number): Promise<Buffer | undefined> {
  if (offset < 0 || file.size < VHD_FOOTER_SIZE) return undefined
  const footer = await file.read(offset, VHD_FOOTER_SIZE, 'the footer')
  return isVhdFooter(footer) ? footer : undefined
}

async function checkBlocks(file: ImageFile, headerOffset: number, diskSize: number): Promise<void> {
  const header = await file.read(headerOffset, HEADER_SIZE, 'its header')
  if (header.toString('latin1', 0, 8) !== 'cxsparse') throw file.damaged('its header has no signature')
  const blockSize = header.readUInt32BE(32)
  if (blockSize < SECTOR || (blockSize & (blockSize - 1)) !== 0) {
    throw file.damaged(`its blocks have ${blockSize} bytes`)
  }
  const needed = Math.ceil(diskSize / blockSize)
  const entries = header.readUInt32BE(28)
  if (entries < needed) throw file.damaged(`its table has ${entries} blocks where ${needed} are needed`)
  const bitmapSize = Math.ceil(blockSize / SECTOR / 8 / SECTOR) * SECTOR
  let block = 0
  for await (const piece of file.readTable(Number(header.readBigUInt64BE(16)), needed, 4, 'its block table')) {
    for (let at = 0; at < piece.length; at += 4, block++) {
      const sector = piece.readUInt32BE(at)
      if (sector === UNUSED) continue
      // of the last block, only what the disk has need be there
      const length = Math.min(blockSize, diskSize - block * blockSize)
      file.mustHold(sector * SECTOR, bitmapSize + length, `block ${block}`)
    }
  }
}
