import type { EntryType } from '@c2m/plugin-api'
import { BLOCK_SIZE } from './constants.js'
import { crc32c } from './crc32c.js'

/**
 * Kernel documentation: filesystems/ext4, "Linear (Classic) Directories". Entries fill a block, each a multiple of four
 * bytes; the last one reaches to the block's end, or to the checksum tail with metadata_csum.
 *
 *     entry  | inode u32 | length of this entry u16 | name length u8 | file type u8 | name, padded to 4 bytes |
 *     tail   | 0 u32 | 12 u16 | 0 u8 | 0xde u8 | crc32c u32 |
 */
export const ENTRY_HEADER = 8
export const TAIL_SIZE = 12
const TAIL_TYPE = 0xde
export const MAX_NAME = 255

export const DIRECTORY_TYPE = 2

const FILE_TYPES: Readonly<Record<EntryType, number>> = {
  file: 1,
  directory: DIRECTORY_TYPE,
  character: 3,
  block: 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
}

export function fileType(type: EntryType): number {
  return FILE_TYPES[type]
}

/** Bytes an entry takes at least. */
export function entrySize(nameLength: number): number {
  return (ENTRY_HEADER + nameLength + 3) & ~3
}

export function encodeEntry(
  block: Buffer,
  at: number,
  entry: { readonly inode: number; readonly size: number; readonly type: number; readonly name: Uint8Array },
): void {
  block.writeUInt32LE(entry.inode, at)
  block.writeUInt16LE(entry.size, at + 4)
  block.writeUInt8(entry.name.length, at + 6)
  block.writeUInt8(entry.type, at + 7)
  block.set(entry.name, at + ENTRY_HEADER)
}

/** Makes an entry reach to `end`. */
export function stretchEntry(block: Buffer, at: number, end: number): void {
  block.writeUInt16LE(end - at, at + 4)
}

/** Where entries end in a block. */
export function entriesEnd(checksummed: boolean): number {
  return checksummed ? BLOCK_SIZE - TAIL_SIZE : BLOCK_SIZE
}

/** @param seed of the directory's inode */
export function setDirectoryTail(block: Buffer, seed: number): void {
  const at = BLOCK_SIZE - TAIL_SIZE
  block.writeUInt32LE(0, at)
  block.writeUInt16LE(TAIL_SIZE, at + 4)
  block.writeUInt8(0, at + 6)
  block.writeUInt8(TAIL_TYPE, at + 7)
  block.writeUInt32LE(crc32c(seed, block, 0, at), at + 8)
}
