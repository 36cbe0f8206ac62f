import { crc32c, crc32cOfNumber } from '../crc32c.js'
import { ENTRY_HEADER, entrySize, TAIL_SIZE } from '../directory-entry.js'

/**
 * Blocks of directories of any block size; layouts in ../directory-entry.ts and ../htree.ts. The blocks of the hash tree
 * look like blocks without entries, and are told from others by that.
 */
const TAIL_TYPE = 0xde
const ROOT_ENTRIES = 32
const NODE_ENTRIES = 8
const INDEX_ENTRY = 8
const INDEX_TAIL = 8
/** The longest length that 16 bits hold; in blocks of 64 KiB it stands for all of the block. */
const MAX_LENGTH = 0xffff

export interface RawEntry {
  readonly inode: number
  /** A view. */
  readonly name: Buffer
}

/** The entries of a block or of an inline area, those of removed names left out; undefined when they are damaged. */
export function parseEntries(area: Buffer, blockSize: number): RawEntry[] | undefined {
  const entries: RawEntry[] = []
  for (let at = 0; at < area.length;) {
    if (at + ENTRY_HEADER > area.length) return undefined
    const length = entryLength(area.readUInt16LE(at + 4), blockSize)
    const nameLength = area[at + 6]!
    const least = Math.max(entrySize(nameLength), entrySize(1))
    if (length < least || length % 4 !== 0 || at + length > area.length) return undefined
    const inode = area.readUInt32LE(at)
    if (inode !== 0) {
      if (nameLength === 0) return undefined
      entries.push({ inode, name: area.subarray(at + ENTRY_HEADER, at + ENTRY_HEADER + nameLength) })
    }
    at += length
  }
  return entries
}

/** In blocks of 64 KiB the two lowest bits are the highest. */
function entryLength(stored: number, blockSize: number): number {
  if (stored === MAX_LENGTH || stored === 0) return blockSize
  return (stored & 0xfffc) | ((stored & 3) << 16)
}

/**
 * Whether a block's checksum is right.
 * @param isRoot of a hash tree
 * @param mayBeNode of a hash tree: block 1 and up of an indexed directory
 * @param seed of the inode
 */
export function hasRightTail(block: Buffer, isRoot: boolean, mayBeNode: boolean, seed: number): boolean {
  if (isRoot) return hasRightIndexTail(block, ROOT_ENTRIES, seed)
  const isNode = block.readUInt32LE(0) === 0 && entryLength(block.readUInt16LE(4), block.length) === block.length
  if (mayBeNode && isNode) return hasRightIndexTail(block, NODE_ENTRIES, seed)
  const at = block.length - TAIL_SIZE
  const isTail = block.readUInt32LE(at) === 0 && block.readUInt32LE(at + 4) === ((TAIL_TYPE << 24) | TAIL_SIZE) >>> 0
  return isTail && block.readUInt32LE(at + 8) === crc32c(seed, block, 0, at)
}

function hasRightIndexTail(block: Buffer, start: number, seed: number): boolean {
  const limit = block.readUInt16LE(start)
  const count = block.readUInt16LE(start + 2)
  const tail = start + limit * INDEX_ENTRY
  if (count > limit || tail + INDEX_TAIL > block.length) return false
  const used = crc32c(seed, block, 0, start + count * INDEX_ENTRY)
  return crc32cOfNumber(crc32cOfNumber(used, block.readUInt32LE(tail)), 0) === block.readUInt32LE(tail + 4)
}
