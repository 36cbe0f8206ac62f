import { BLOCK_SIZE } from './constants.js'
import { crc32c, crc32cOfNumber } from './crc32c.js'
import { HALF_MD4 } from './directory-hash.js'
import { DIRECTORY_TYPE, encodeEntry } from './directory-entry.js'

/**
 * Kernel documentation: filesystems/ext4, "Hash Tree Directories". Block 0 of an indexed directory is the root; nodes
 * stand between it and the leaves when there are more leaves than the root has room for. To old kernels both look
 * like blocks without entries.
 *
 *     root  | '.' 12 bytes | '..' reaching to the end: 12 bytes used | 0 u32 | hash version u8 | 8 u8 | levels u8 | 0 u8 | entries
 *     node  | an entry without inode, as long as the block: 8 bytes used | entries
 *     entries   | limit u16 | count u16 | block u32 | then count - 1 times: | lowest hash u32 | block u32 |
 *     tail      | 0 u32 | crc32c u32 |      behind the last possible entry, with metadata_csum
 *
 * The first entry's hash is taken as 0. A set lowest bit of a hash says that entries with it began in the block before.
 */
const ROOT_ENTRIES = 32
const NODE_ENTRIES = 8
const INDEX_ENTRY = 8
const INFO_LENGTH = 8

export interface IndexEntry {
  readonly hash: number
  /** Block within the directory. */
  readonly block: number
}

/** How many entries a root or a node holds. */
export function indexLimit(kind: 'root' | 'node', checksummed: boolean): number {
  const room = BLOCK_SIZE - (kind === 'root' ? ROOT_ENTRIES : NODE_ENTRIES)
  return room / INDEX_ENTRY - (checksummed ? 1 : 0)
}

/** @param levels of nodes between the root and the leaves: 0 or 1 */
export function encodeIndexRoot(
  block: Buffer,
  root: {
    readonly inode: number
    readonly parent: number
    readonly levels: number
    readonly entries: readonly IndexEntry[]
  },
  seed: number | undefined,
): void {
  block.fill(0)
  encodeEntry(block, 0, { inode: root.inode, size: 12, type: DIRECTORY_TYPE, name: Buffer.from('.') })
  encodeEntry(block, 12, { inode: root.parent, size: BLOCK_SIZE - 12, type: DIRECTORY_TYPE, name: Buffer.from('..') })
  block.writeUInt8(HALF_MD4, 28)
  block.writeUInt8(INFO_LENGTH, 29)
  block.writeUInt8(root.levels, 30)
  encodeEntries(block, ROOT_ENTRIES, indexLimit('root', seed !== undefined), root.entries, seed)
}

export function encodeIndexNode(block: Buffer, entries: readonly IndexEntry[], seed: number | undefined): void {
  block.fill(0)
  block.writeUInt16LE(BLOCK_SIZE, 4)
  encodeEntries(block, NODE_ENTRIES, indexLimit('node', seed !== undefined), entries, seed)
}

function encodeEntries(
  block: Buffer,
  start: number,
  limit: number,
  entries: readonly IndexEntry[],
  seed: number | undefined,
): void {
  entries.forEach(({ hash, block: child }, index) => {
    block.writeUInt32LE(hash, start + index * INDEX_ENTRY)
    block.writeUInt32LE(child, start + index * INDEX_ENTRY + 4)
  })
  block.writeUInt16LE(limit, start)
  block.writeUInt16LE(entries.length, start + 2)
  if (seed === undefined) return
  // the sum covers the entries in use, the tail's reserved word, and zero in place of itself
  const used = crc32c(seed, block, 0, start + entries.length * INDEX_ENTRY)
  block.writeUInt32LE(crc32cOfNumber(crc32cOfNumber(used, 0), 0), start + limit * INDEX_ENTRY + 4)
}
