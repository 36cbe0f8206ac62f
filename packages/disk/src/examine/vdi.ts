import { C2mError } from '@c2m/process'
import type { ExaminedImage } from './examined.js'
import type { ImageFile } from './image-file.js'

/**
 * VDI (VirtualBox, VDICore.h; QEMU, block/vdi.c), little-endian:
 *
 *      64 u32 signature           340 u32 offset of the map     376 u32 bytes of a block
 *      68 u32 version 1.1         344 u32 offset of the data    380 u32 extra bytes of each
 *      76 u32 type                368 u64 disk size             384 u32 number of blocks
 *
 * The map has a u32 for each block: its place among the data's blocks, or "free" or "zeros".
 */
const HEADER_SIZE = 512
const SIGNATURE = 0xbeda107f
const VARIANTS: Readonly<Record<number, string>> = { 1: 'dynamic', 2: 'fixed' }
/** The only block size that QEMU reads, and VirtualBox makes. */
const BLOCK_SIZE = 1024 * 1024
/** This and the value above it are no places. */
const FIRST_NO_PLACE = 0xfffffffe

/** @throws C2M_DISK_FORMAT when it is none, C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_UNSUPPORTED, C2M_DISK_TOO_LARGE */
export async function examineVdi(file: ImageFile): Promise<ExaminedImage> {
  const header = await file.read(0, Math.min(HEADER_SIZE, file.size), 'its header')
  if (header.length < HEADER_SIZE || header.readUInt32LE(64) !== SIGNATURE) {
    throw new C2mError('C2M_DISK_FORMAT', `${file.path} is not a VDI`, { hint: 'leave the format to be found' })
  }
  const variant = checkKind(file, header)
  const diskSize = Number(header.readBigUInt64LE(368))
  file.checkDiskSize(diskSize)
  const blocks = header.readUInt32LE(384)
  const needed = Math.ceil(diskSize / BLOCK_SIZE)
  if (blocks < needed) throw file.damaged(`its map has ${blocks} blocks where ${needed} are needed`)
  const dataOffset = header.readUInt32LE(344)
  let block = 0
  for await (const piece of file.readTable(header.readUInt32LE(340), needed, 4, 'its block map')) {
    for (let at = 0; at < piece.length; at += 4, block++) {
      const place = piece.readUInt32LE(at)
      if (place >= FIRST_NO_PLACE) continue
      // of the last block, only what the disk has need be there
      const length = Math.min(BLOCK_SIZE, diskSize - block * BLOCK_SIZE)
      file.mustHold(dataOffset + place * BLOCK_SIZE, length, `block ${block}`)
    }
  }
  return { format: 'vdi', variant, extents: [], notices: [] }
}

function checkKind(file: ImageFile, header: Buffer): string {
  const type = header.readUInt32LE(76)
  const variant = VARIANTS[type]
  if (type === 3 || type === 4) {
    throw file.unsupported(
      'is a differencing VDI: it holds only what changed since a snapshot',
      'merge it in VirtualBox: VBoxManage clonemedium disk DISK merged.vdi',
    )
  }
  if (variant === undefined || header.readUInt32LE(68) !== 0x00010001) {
    throw file.unsupported(`is a VDI of type ${type}`, 'convert it in VirtualBox: VBoxManage clonemedium')
  }
  const [blockSize, extra] = [header.readUInt32LE(376), header.readUInt32LE(380)]
  if (blockSize !== BLOCK_SIZE || extra !== 0) {
    throw file.unsupported(`has blocks of ${blockSize} + ${extra} bytes`, 'convert it: VBoxManage clonemedium')
  }
  return variant
}
