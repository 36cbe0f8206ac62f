import { BLOCK_SIZE } from './constants.js'
import { crc32c } from './crc32c.js'

/**
 * Kernel documentation: filesystems/ext4, "Extent Tree". A node is a header and entries of 12 bytes each; the root is in
 * i_block (four entries), other nodes are blocks (340 entries, then the checksum).
 *
 *     header  | magic 0xf30a u16 | entries u16 | max u16 | depth u16 | generation u32 |
 *     leaf    | first logical block u32 | count u16 | physical high u16 | physical low u32 |        depth 0
 *     index   | first logical block u32 | child low u32 | child high u16 | unused u16 |             depth > 0
 *     tail    | crc32c u32 |                                                                        blocks only
 */
export const EXTENT_HEADER = 12
export const EXTENT_ENTRY = 12
export const EXTENT_MAGIC = 0xf30a
/** Longest initialized extent, in blocks; longer counts mean unwritten ones. */
export const MAX_EXTENT_BLOCKS = 32_768
export const ROOT_EXTENTS = 4
export const NODE_EXTENTS = (BLOCK_SIZE - EXTENT_HEADER - 4) / EXTENT_ENTRY
/** EXT4_MAX_EXTENT_DEPTH. */
export const MAX_EXTENT_DEPTH = 5

export interface ExtentHeader {
  readonly entries: number
  readonly max: number
  readonly depth: number
}

export interface FileExtent {
  /** First block within the file. */
  readonly logical: number
  /** First block within the file system. */
  readonly block: number
  /** Blocks. */
  readonly count: number
}

export interface ExtentIndex {
  readonly logical: number
  /** The block of the node below. */
  readonly child: number
}

export function encodeExtentHeader(node: Buffer, header: ExtentHeader): void {
  node.writeUInt16LE(EXTENT_MAGIC, 0)
  node.writeUInt16LE(header.entries, 2)
  node.writeUInt16LE(header.max, 4)
  node.writeUInt16LE(header.depth, 6)
  node.writeUInt32LE(0, 8)
}

/** Undefined when there is no magic number. */
export function decodeExtentHeader(node: Buffer): ExtentHeader | undefined {
  if (node.readUInt16LE(0) !== EXTENT_MAGIC) return undefined
  return { entries: node.readUInt16LE(2), max: node.readUInt16LE(4), depth: node.readUInt16LE(6) }
}

export function encodeExtent(node: Buffer, index: number, extent: FileExtent): void {
  const at = EXTENT_HEADER + index * EXTENT_ENTRY
  node.writeUInt32LE(extent.logical, at)
  node.writeUInt16LE(extent.count, at + 4)
  node.writeUInt16LE(Math.floor(extent.block / 2 ** 32), at + 6)
  node.writeUInt32LE(extent.block >>> 0, at + 8)
}

/** `unwritten` extents have blocks but read as zeros. */
export function decodeExtent(node: Buffer, index: number): FileExtent & { readonly unwritten: boolean } {
  const at = EXTENT_HEADER + index * EXTENT_ENTRY
  const stored = node.readUInt16LE(at + 4)
  const unwritten = stored > MAX_EXTENT_BLOCKS
  return {
    logical: node.readUInt32LE(at),
    block: node.readUInt16LE(at + 6) * 2 ** 32 + node.readUInt32LE(at + 8),
    count: unwritten ? stored - MAX_EXTENT_BLOCKS : stored,
    unwritten,
  }
}

export function encodeExtentIndex(node: Buffer, index: number, { logical, child }: ExtentIndex): void {
  const at = EXTENT_HEADER + index * EXTENT_ENTRY
  node.writeUInt32LE(logical, at)
  node.writeUInt32LE(child >>> 0, at + 4)
  node.writeUInt16LE(Math.floor(child / 2 ** 32), at + 8)
  node.writeUInt16LE(0, at + 10)
}

export function decodeExtentIndex(node: Buffer, index: number): ExtentIndex {
  const at = EXTENT_HEADER + index * EXTENT_ENTRY
  return { logical: node.readUInt32LE(at), child: node.readUInt32LE(at + 4) + node.readUInt16LE(at + 8) * 2 ** 32 }
}

/** The checksum behind the last possible entry of a node that is a block. @param seed of the inode */
export function setExtentChecksum(node: Buffer, seed: number): void {
  const at = EXTENT_HEADER + NODE_EXTENTS * EXTENT_ENTRY
  node.writeUInt32LE(crc32c(seed, node, 0, at), at)
}
