import type { EntryType, Timestamp } from '@c2m/plugin-api'
import { inodeSeed } from './checksum.js'
import { SECTORS_PER_BLOCK } from './constants.js'
import { crc32c } from './crc32c.js'
import { decodeTime, encodeTime } from './timestamp.js'

/**
 * Kernel documentation: filesystems/ext4, "Index Nodes". 256 bytes here: 128 old ones, 32 extra ones, the rest for
 * extended attributes.
 *
 *     0x00  mode|uid_lo          size_lo              atime                ctime
 *     0x10  mtime                dtime                gid_lo|links         blocks_lo
 *     0x20  flags                version_lo           block[60]: extent tree, fast symlink or device …
 *     0x60  …                    generation           file_acl_lo          size_high
 *     0x70  faddr                blocks_hi|acl_hi     uid_hi|gid_hi        checksum_lo|0
 *     0x80  extra_isize|csum_hi  ctime_extra          mtime_extra          atime_extra
 *     0x90  crtime               crtime_extra         version_hi           projid
 *     0xa0  extended attributes, to the end
 */
export const EXTRA_INODE_SIZE = 32
export const INODE_XATTR_OFFSET = 128 + EXTRA_INODE_SIZE
/** Bytes of i_block; a symlink's target that is shorter lies in it (a fast symlink). */
export const INODE_BLOCK_SIZE = 60

export const InodeFlag = { index: 0x1000, extents: 0x80000 } as const

const Offset = {
  mode: 0x00,
  uid: 0x02,
  size: 0x04,
  atime: 0x08,
  ctime: 0x0c,
  mtime: 0x10,
  gid: 0x18,
  links: 0x1a,
  blocks: 0x1c,
  flags: 0x20,
  block: 0x28,
  generation: 0x64,
  fileAcl: 0x68,
  sizeHigh: 0x6c,
  blocksHigh: 0x74,
  fileAclHigh: 0x76,
  uidHigh: 0x78,
  gidHigh: 0x7a,
  checksum: 0x7c,
  extraSize: 0x80,
  checksumHigh: 0x82,
  ctimeExtra: 0x84,
  mtimeExtra: 0x88,
  atimeExtra: 0x8c,
  crtime: 0x90,
  crtimeExtra: 0x94,
} as const

/** The upper four bits of i_mode (stat(2), st_mode). */
const TYPE_BITS: Readonly<Record<EntryType, number>> = {
  fifo: 0x1000,
  character: 0x2000,
  directory: 0x4000,
  block: 0x6000,
  file: 0x8000,
  symlink: 0xa000,
  socket: 0xc000,
}

export interface InodeFields {
  readonly type: EntryType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly links: number
  readonly flags: number
  readonly atime: Timestamp
  readonly ctime: Timestamp
  readonly mtime: Timestamp
  readonly crtime: Timestamp
}

/** Fills the fields; i_block, i_blocks, i_file_acl and the attributes have functions of their own. `inode` is zeroed before. */
export function encodeInode(inode: Buffer, fields: InodeFields): void {
  inode.writeUInt16LE(TYPE_BITS[fields.type] | (fields.mode & 0xfff), Offset.mode)
  inode.writeUInt16LE(fields.uid & 0xffff, Offset.uid)
  inode.writeUInt16LE(fields.uid >>> 16, Offset.uidHigh)
  inode.writeUInt16LE(fields.gid & 0xffff, Offset.gid)
  inode.writeUInt16LE(fields.gid >>> 16, Offset.gidHigh)
  inode.writeUInt16LE(fields.links, Offset.links)
  inode.writeUInt32LE(fields.flags, Offset.flags)
  inode.writeUInt16LE(EXTRA_INODE_SIZE, Offset.extraSize)
  setSize(inode, fields.size)
  setTime(inode, Offset.atime, Offset.atimeExtra, fields.atime)
  setTime(inode, Offset.ctime, Offset.ctimeExtra, fields.ctime)
  setTime(inode, Offset.mtime, Offset.mtimeExtra, fields.mtime)
  setTime(inode, Offset.crtime, Offset.crtimeExtra, fields.crtime)
}

export function decodeInode(inode: Buffer): InodeFields | undefined {
  const mode = inode.readUInt16LE(Offset.mode)
  const type = (Object.keys(TYPE_BITS) as EntryType[]).find((key) => TYPE_BITS[key] === (mode & 0xf000))
  if (type === undefined) return undefined
  const extraSize = inode.length > 128 ? inode.readUInt16LE(Offset.extraSize) : 0
  const time = (offset: number, extra: number): Timestamp => {
    const stored = 128 + extraSize >= extra + 4
    return decodeTime({ seconds: inode.readUInt32LE(offset), extra: stored ? inode.readUInt32LE(extra) : 0 })
  }
  return {
    type,
    mode: mode & 0xfff,
    uid: inode.readUInt16LE(Offset.uid) + inode.readUInt16LE(Offset.uidHigh) * 2 ** 16,
    gid: inode.readUInt16LE(Offset.gid) + inode.readUInt16LE(Offset.gidHigh) * 2 ** 16,
    size: getSize(inode),
    links: getLinks(inode),
    flags: inode.readUInt32LE(Offset.flags),
    atime: time(Offset.atime, Offset.atimeExtra),
    ctime: time(Offset.ctime, Offset.ctimeExtra),
    mtime: time(Offset.mtime, Offset.mtimeExtra),
    crtime:
      128 + extraSize >= Offset.crtime + 4 ? time(Offset.crtime, Offset.crtimeExtra) : { seconds: 0, nanoseconds: 0 },
  }
}

/** Seconds and nanoseconds apart: i_mtime and the epoch bits of i_mtime_extra. */
function setTime(inode: Buffer, offset: number, extraOffset: number, time: Timestamp): void {
  const { seconds, extra } = encodeTime(time)
  inode.writeUInt32LE(seconds, offset)
  inode.writeUInt32LE(extra, extraOffset)
}

/** Bytes, below 2^53. */
export function setSize(inode: Buffer, size: number): void {
  inode.writeUInt32LE(size >>> 0, Offset.size)
  inode.writeUInt32LE(Math.floor(size / 2 ** 32), Offset.sizeHigh)
}

export function getSize(inode: Buffer): number {
  return inode.readUInt32LE(Offset.size) + inode.readUInt32LE(Offset.sizeHigh) * 2 ** 32
}

export function setLinks(inode: Buffer, links: number): void {
  inode.writeUInt16LE(links, Offset.links)
}

export function getLinks(inode: Buffer): number {
  return inode.readUInt16LE(Offset.links)
}

export function addFlags(inode: Buffer, flags: number): void {
  inode.writeUInt32LE((inode.readUInt32LE(Offset.flags) | flags) >>> 0, Offset.flags)
}

/** Adds to i_blocks; stored in units of 512 bytes. */
export function addBlocks(inode: Buffer, blocks: number): void {
  const sectors = getSectors(inode) + blocks * SECTORS_PER_BLOCK
  inode.writeUInt32LE(sectors >>> 0, Offset.blocks)
  inode.writeUInt16LE(Math.floor(sectors / 2 ** 32), Offset.blocksHigh)
}

export function getSectors(inode: Buffer): number {
  return inode.readUInt32LE(Offset.blocks) + inode.readUInt16LE(Offset.blocksHigh) * 2 ** 32
}

export function setXattrBlock(inode: Buffer, block: number): void {
  inode.writeUInt32LE(block, Offset.fileAcl)
}

export function getXattrBlock(inode: Buffer): number {
  return inode.readUInt32LE(Offset.fileAcl) + inode.readUInt16LE(Offset.fileAclHigh) * 2 ** 32
}

/** i_block: 60 bytes that share memory with the inode. */
export function inodeBlock(inode: Buffer): Buffer {
  return inode.subarray(Offset.block, Offset.block + INODE_BLOCK_SIZE)
}

export function isEmptyInode(inode: Buffer): boolean {
  return inode.readUInt16LE(Offset.mode) === 0
}

export function isDirectoryInode(inode: Buffer): boolean {
  return (inode.readUInt16LE(Offset.mode) & 0xf000) === TYPE_BITS.directory
}

export function isFileInode(inode: Buffer): boolean {
  return (inode.readUInt16LE(Offset.mode) & 0xf000) === TYPE_BITS.file
}

/** i_checksum_lo and _hi of a 256-byte inode, over the whole inode with zeros in their place. */
export function setInodeChecksum(inode: Buffer, number: number, fileSystemSeed: number): void {
  inode.writeUInt16LE(0, Offset.checksum)
  inode.writeUInt16LE(0, Offset.checksumHigh)
  const sum = crc32c(inodeSeed(fileSystemSeed, number, inode.readUInt32LE(Offset.generation)), inode)
  inode.writeUInt16LE(sum & 0xffff, Offset.checksum)
  inode.writeUInt16LE(sum >>> 16, Offset.checksumHigh)
}
