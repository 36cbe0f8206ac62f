import { descriptorChecksum, type ChecksumRules } from './checksum.js'

/**
 * Kernel documentation: filesystems/ext4, "Block Group Descriptors". 32 bytes, or 64 with the feature 64bit.
 *
 *     0x00  block_bitmap_lo      inode_bitmap_lo      inode_table_lo       free_blocks|free_inodes
 *     0x10  used_dirs|flags      exclude_bitmap_lo    bitmap csums, low    itable_unused|checksum
 *     0x20  block_bitmap_hi      inode_bitmap_hi      inode_table_hi       free_blocks|free_inodes, high
 *     0x30  used_dirs|unused hi  exclude_bitmap_hi    bitmap csums, high   reserved
 */
export const SHORT_DESCRIPTOR = 32
export const LONG_DESCRIPTOR = 64

export const GroupFlag = { inodeUninit: 0x1, blockUninit: 0x2, tableZeroed: 0x4 } as const

export interface GroupDescriptor {
  readonly blockBitmap: number
  readonly inodeBitmap: number
  readonly inodeTable: number
  readonly freeBlocks: number
  readonly freeInodes: number
  readonly directories: number
  readonly flags: number
  /** crc32c; 16 bits of it with short descriptors. */
  readonly blockBitmapChecksum: number
  readonly inodeBitmapChecksum: number
  /** Inodes at the end of the table that were never used. */
  readonly unusedInodes: number
}

/** Fills `bytes`, whose length (32 or 64) chooses the form. */
export function encodeGroupDescriptor(
  bytes: Buffer,
  group: number,
  descriptor: GroupDescriptor,
  rules: ChecksumRules,
): void {
  const d = descriptor
  const split16 = (low: number, high: number, value: number): void => {
    bytes.writeUInt16LE(value & 0xffff, low)
    if (bytes.length >= LONG_DESCRIPTOR) bytes.writeUInt16LE(value >>> 16, high)
  }
  bytes.fill(0)
  bytes.writeUInt32LE(d.blockBitmap, 0x00)
  bytes.writeUInt32LE(d.inodeBitmap, 0x04)
  bytes.writeUInt32LE(d.inodeTable, 0x08)
  split16(0x0c, 0x2c, d.freeBlocks)
  split16(0x0e, 0x2e, d.freeInodes)
  split16(0x10, 0x30, d.directories)
  bytes.writeUInt16LE(d.flags, 0x12)
  split16(0x18, 0x38, d.blockBitmapChecksum)
  split16(0x1a, 0x3a, d.inodeBitmapChecksum)
  split16(0x1c, 0x32, d.unusedInodes)
  bytes.writeUInt16LE(descriptorChecksum(rules, group, bytes), 0x1e)
}

export function decodeGroupDescriptor(bytes: Buffer): GroupDescriptor {
  const long = bytes.length >= LONG_DESCRIPTOR
  const join16 = (low: number, high: number): number =>
    bytes.readUInt16LE(low) + (long ? bytes.readUInt16LE(high) * 2 ** 16 : 0)
  const join32 = (low: number, high: number): number =>
    bytes.readUInt32LE(low) + (long ? bytes.readUInt32LE(high) * 2 ** 32 : 0)
  return {
    blockBitmap: join32(0x00, 0x20),
    inodeBitmap: join32(0x04, 0x24),
    inodeTable: join32(0x08, 0x28),
    freeBlocks: join16(0x0c, 0x2c),
    freeInodes: join16(0x0e, 0x2e),
    directories: join16(0x10, 0x30),
    flags: bytes.readUInt16LE(0x12),
    blockBitmapChecksum: join16(0x18, 0x38),
    inodeBitmapChecksum: join16(0x1a, 0x3a),
    unusedInodes: join16(0x1c, 0x32),
  }
}
