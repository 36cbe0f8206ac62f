import type { DeviceNumber, EntryType, Timestamp } from '@c2m/plugin-api'
import { inodeSeed } from '../checksum.js'
import { crc32c, crc32cOfNumber } from '../crc32c.js'
import { decodeDevice } from '../device-number.js'
import { INODE_BLOCK_SIZE } from '../inode.js'
import { decodeTime } from '../timestamp.js'

/**
 * An inode as it stands in its table; the layout is drawn in ../inode.ts. Kernel documentation: filesystems/ext4, "Index
 * Nodes". Inodes may have 128 bytes (no extra fields) or any power of two above.
 */
export interface StoredInode {
  readonly number: number
  /** All of its bytes: a view, not to be kept. */
  readonly raw: Buffer
  readonly type: EntryType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes; may exceed 2^53 in damaged inodes. */
  readonly size: number
  readonly links: number
  readonly flags: number
  readonly generation: number
  /** i_blocks, in units of 512 bytes or blocks: only whether it is 0 matters. */
  readonly sectors: number
  readonly xattrBlock: number
  /** i_extra_isize: bytes of fields behind the first 128. */
  readonly extraSize: number
}

export const Flag = {
  encrypted: 0x800,
  index: 0x1000,
  extents: 0x80000,
  xattrValue: 0x200000,
  inlineData: 0x10000000,
} as const

export const OLD_SIZE = 128
const BLOCK_OFFSET = 0x28
const MAX_NANOSECONDS = 999_999_999

/** By the upper four bits of i_mode (stat(2), st_mode). */
const TYPES: readonly (EntryType | undefined)[] = [
  undefined,
  'fifo',
  'character',
  undefined,
  'directory',
  undefined,
  'block',
  undefined,
  'file',
  undefined,
  'symlink',
  undefined,
  'socket',
]

/** Undefined when i_mode has no known type. @param largeDirectories the feature large_dir */
export function decodeStoredInode(raw: Buffer, number: number, largeDirectories: boolean): StoredInode | undefined {
  const mode = raw.readUInt16LE(0x00)
  const type = TYPES[mode >>> 12]
  if (type === undefined) return undefined
  const hasHighSize = type === 'file' || (type === 'directory' && largeDirectories)
  return {
    number,
    raw,
    type,
    mode: mode & 0xfff,
    uid: raw.readUInt16LE(0x02) + raw.readUInt16LE(0x78) * 2 ** 16,
    gid: raw.readUInt16LE(0x18) + raw.readUInt16LE(0x7a) * 2 ** 16,
    size: raw.readUInt32LE(0x04) + (hasHighSize ? raw.readUInt32LE(0x6c) * 2 ** 32 : 0),
    links: raw.readUInt16LE(0x1a),
    flags: raw.readUInt32LE(0x20),
    generation: raw.readUInt32LE(0x64),
    sectors: raw.readUInt32LE(0x1c) + raw.readUInt16LE(0x74) * 2 ** 32,
    xattrBlock: raw.readUInt32LE(0x68) + raw.readUInt16LE(0x76) * 2 ** 32,
    extraSize: raw.length > OLD_SIZE ? raw.readUInt16LE(0x80) : 0,
  }
}

/** i_block: block map, extent root, fast symlink or inline data. */
export function blockArea(inode: StoredInode): Buffer {
  return inode.raw.subarray(BLOCK_OFFSET, BLOCK_OFFSET + INODE_BLOCK_SIZE)
}

export function modificationTime({ raw, extraSize }: StoredInode): Timestamp {
  const extra = extraSize >= 0x8c - OLD_SIZE ? raw.readUInt32LE(0x88) : 0
  const { seconds, nanoseconds } = decodeTime({ seconds: raw.readUInt32LE(0x10), extra })
  return { seconds, nanoseconds: Math.min(nanoseconds, MAX_NANOSECONDS) }
}

/** Of a character or block device. */
export function deviceOf({ raw }: StoredInode): DeviceNumber {
  return decodeDevice([raw.readUInt32LE(BLOCK_OFFSET), raw.readUInt32LE(BLOCK_OFFSET + 4)])
}

/** Whether i_checksum is right; the sum takes zeros in its own place, and has a high half only if the inode has room. */
export function hasRightChecksum({ raw, number, generation, extraSize }: StoredInode, seed: number): boolean {
  const start = inodeSeed(seed, number, generation)
  let sum = crc32c(start, raw, 0, 0x7c)
  sum = crc32c(sum, ZEROS)
  sum = crc32c(sum, raw, 0x7e, OLD_SIZE)
  if (raw.length === OLD_SIZE) return (sum & 0xffff) === raw.readUInt16LE(0x7c)
  sum = crc32c(sum, raw, OLD_SIZE, 0x82)
  const hasHigh = extraSize >= 4
  if (hasHigh) sum = crc32c(sum, ZEROS)
  sum = crc32c(sum, raw, hasHigh ? 0x84 : 0x82)
  if ((sum & 0xffff) !== raw.readUInt16LE(0x7c)) return false
  return !hasHigh || sum >>> 16 === raw.readUInt16LE(0x82)
}

const ZEROS = new Uint8Array(2)

/** What the checksums of an inode's extents and directory blocks start with. @param seed of the file system */
export function seedOf({ number, generation }: StoredInode, seed: number): number {
  return inodeSeed(seed, number, generation)
}

/** The hash of an attribute's value that is kept in an inode of its own (ext4_xattr_inode_hash). */
export function valueHash(seed: number, value: Uint8Array): number {
  return crc32c(seed, value)
}

/** e_hash of an entry whose value is in an inode: the name as usual, then the value's hash as its only word. */
export function externalEntryHash(name: Uint8Array, hash: number, signed: boolean): number {
  let sum = 0
  for (const byte of name) sum = ((sum << 5) | (sum >>> 27)) ^ (signed ? (byte << 24) >> 24 : byte)
  return (((sum << 16) | (sum >>> 16)) ^ hash) >>> 0
}

/** Continues a checksum over a block number of 64 bits. */
export function crc32cOfBlock(seed: number, block: number): number {
  return crc32cOfNumber(crc32cOfNumber(seed, block >>> 0), Math.floor(block / 2 ** 32))
}
