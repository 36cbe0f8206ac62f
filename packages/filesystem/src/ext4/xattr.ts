import { BLOCK_SIZE, INODE_SIZE } from './constants.js'
import { crc32c, crc32cOfNumber } from './crc32c.js'
import { INODE_XATTR_OFFSET } from './inode.js'

/**
 * Kernel documentation: filesystems/ext4, "Extended Attributes". Entries grow up, values grow down from the end, each
 * padded to four bytes; four zero bytes end the entries. Value offsets count from the block's start, in an inode from
 * the first entry.
 *
 *     inode   | magic 0xea020000 u32 | entries …        … values |
 *     block   | magic u32 | references u32 | 1 block u32 | hash u32 | crc32c u32 | 0 u32[3] | entries …    … values |
 *     entry   | name length u8 | name index u8 | value offset u16 | value inode u32 | value size u32 | hash u32 | name |
 */
export const XATTR_MAGIC = 0xea020000
const INODE_HEADER = 4
const BLOCK_HEADER = 32
const ENTRY_HEADER = 16
const TERMINATOR = 4
/** EXT4_XATTR_REFCOUNT_MAX: inodes that may share a block. */
export const MAX_XATTR_REFERENCES = 1024

/** The table "name index" of the documentation; the last one takes what is left of system. */
export const NAME_INDEXES: readonly (readonly [prefix: string, index: number, whole: boolean])[] = [
  ['user.', 1, false],
  ['system.posix_acl_access', 2, true],
  ['system.posix_acl_default', 3, true],
  ['trusted.', 4, false],
  ['security.', 6, false],
  ['system.', 7, false],
]

export interface StoredXattr {
  readonly index: number
  /** Without the prefix that `index` stands for. */
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** Order of entries in a block: index, name length, name. */
export function compareXattrs(a: StoredXattr, b: StoredXattr): number {
  return a.index - b.index || a.name.length - b.name.length || Buffer.compare(a.name, b.name)
}

function pad(length: number): number {
  return (length + 3) & ~3
}

function sizeOf({ name, value }: StoredXattr): number {
  return pad(ENTRY_HEADER + name.length) + pad(value.length)
}

/** Bytes of entries and values that an inode and a block have room for. */
const INODE_ROOM = INODE_SIZE - INODE_XATTR_OFFSET - INODE_HEADER - TERMINATOR
const BLOCK_ROOM = BLOCK_SIZE - BLOCK_HEADER - TERMINATOR

/** What goes into the inode, as much as fits, and what into a block. Undefined when the block is too small. */
export function divideXattrs(
  xattrs: readonly StoredXattr[],
): { inode: StoredXattr[]; block: StoredXattr[] } | undefined {
  const inode: StoredXattr[] = []
  const block: StoredXattr[] = []
  let inodeRoom = INODE_ROOM
  let blockRoom = BLOCK_ROOM
  for (const xattr of [...xattrs].sort(compareXattrs)) {
    const size = sizeOf(xattr)
    if (size <= inodeRoom) {
      inode.push(xattr)
      inodeRoom -= size
      continue
    }
    if (size > blockRoom) return undefined
    block.push(xattr)
    blockRoom -= size
  }
  return { inode, block }
}

/** Writes attributes that fit behind the fields of a 256-byte inode. */
export function encodeInodeXattrs(inode: Buffer, xattrs: readonly StoredXattr[]): void {
  if (xattrs.length === 0) return
  inode.writeUInt32LE(XATTR_MAGIC, INODE_XATTR_OFFSET)
  encodeEntries(inode.subarray(INODE_XATTR_OFFSET + INODE_HEADER), 0, xattrs)
}

/** A block of attributes that fit, sorted, without reference count and checksum; `head` and `tail` bytes of it are in use. */
export function encodeXattrBlock(xattrs: readonly StoredXattr[]): { block: Buffer; head: number; tail: number } {
  const block = Buffer.alloc(BLOCK_SIZE)
  block.writeUInt32LE(XATTR_MAGIC, 0)
  block.writeUInt32LE(1, 8)
  const hashes = encodeEntries(block, BLOCK_HEADER, xattrs)
  let hash = 0
  for (const entry of hashes) hash = ((hash << 16) | (hash >>> 16)) ^ entry
  block.writeUInt32LE(hashes.includes(0) ? 0 : hash >>> 0, 12)
  const head = xattrs.reduce((sum, { name }) => sum + pad(ENTRY_HEADER + name.length), BLOCK_HEADER)
  return { block, head, tail: xattrs.reduce((sum, { value }) => sum + pad(value.length), 0) }
}

/** The last fields of a block: how many inodes share it and, with a file system's seed, the checksum. */
export function finishXattrBlock(
  block: Buffer,
  blockNumber: number,
  references: number,
  seed: number | undefined,
): void {
  block.writeUInt32LE(references, 4)
  block.writeUInt32LE(0, 16)
  if (seed === undefined) return
  const number = crc32cOfNumber(crc32cOfNumber(seed, blockNumber >>> 0), Math.floor(blockNumber / 2 ** 32))
  block.writeUInt32LE(crc32c(number, block), 16)
}

/** Entries from `start` on, values from the end down; returns the entries' hashes. */
function encodeEntries(area: Buffer, start: number, xattrs: readonly StoredXattr[]): number[] {
  const hashes: number[] = []
  let at = start
  let end = area.length
  for (const { index, name, value } of xattrs) {
    end -= pad(value.length)
    area.set(value, end)
    const hash = entryHash(name, area.subarray(end, end + pad(value.length)))
    area.writeUInt8(name.length, at)
    area.writeUInt8(index, at + 1)
    area.writeUInt16LE(value.length === 0 ? 0 : end, at + 2)
    area.writeUInt32LE(value.length, at + 8)
    area.writeUInt32LE(hash, at + 12)
    area.set(name, at + ENTRY_HEADER)
    at += pad(ENTRY_HEADER + name.length)
    hashes.push(hash)
  }
  return hashes
}

/** e_hash: name bytes shifted by 5, then the padded value's words shifted by 16, both rotating. */
function entryHash(name: Uint8Array, paddedValue: Buffer): number {
  let hash = 0
  for (const byte of name) hash = ((hash << 5) | (hash >>> 27)) ^ byte
  for (let at = 0; at < paddedValue.length; at += 4) {
    hash = ((hash << 16) | (hash >>> 16)) ^ paddedValue.readUInt32LE(at)
  }
  return hash >>> 0
}
