import { crc32c } from '../../crc32c.js'
import { JOURNAL_MAGIC } from '../../journal.js'
import type { JournalFormat } from './superblock.js'

/**
 * Blocks of the log, big-endian. Kernel documentation: filesystems/ext4, "Journal (jbd2)": "Descriptor Block",
 * "Revocation Block", "Commit Block".
 *
 *     header      | magic u32 | type u32 | sequence u32 |
 *     descriptor  | header | tags, each with a UUID of 16 bytes unless it is the same … | checksum u32, with v2 and v3 |
 *     tag         | block u32 | checksum u16 | flags u16 | block high u32, if wide | (2 unused bytes with v2) |
 *     tag, v3     | block u32 | flags u32 | block high u32 | checksum u32 |
 *     revocation  | header | bytes used u32 | block numbers, 4 or 8 bytes each … | checksum u32, with v2 and v3 |
 *     commit      | header | checksum type u8 | size u8 | 0 u16 | checksum u32[8] | time |
 *
 * A data block that begins with the magic number has zeros there, and a tag with the flag `escaped`.
 */
export const BlockType = { descriptor: 1, commit: 2, revocation: 5 } as const

const HEADER = 12
const TAIL = 4
const UUID_SIZE = 16
const TagFlag = { escaped: 1, sameUuid: 2, last: 8 } as const
const COMMIT_CHECKSUM = 16
const CRC32_TYPE = 1
const CRC32_SIZE = 4

export interface Tag {
  /** Of the file system. */
  readonly block: number
  readonly escaped: boolean
  /** As stored; 16 bits of it with v2. */
  readonly checksum: number
}

/** The type of a log block of this transaction; undefined when it is none, which ends the log. */
export function logBlockType(block: Buffer, sequence: number): number | undefined {
  const belongs = block.readUInt32BE(0) === JOURNAL_MAGIC && block.readUInt32BE(8) === sequence
  return belongs ? block.readUInt32BE(4) : undefined
}

/** A descriptor that is full may lack the flag of the last tag. */
export function readTags(block: Buffer, { checksums, wide }: JournalFormat): Tag[] {
  const size = checksums === 3 ? 16 : (wide ? 12 : 8) + (checksums === 2 ? 2 : 0)
  const end = block.length - (checksums >= 2 ? TAIL : 0)
  const tags: Tag[] = []
  for (let at = HEADER; at + size <= end;) {
    const flags = checksums === 3 ? block.readUInt32BE(at + 4) : block.readUInt16BE(at + 6)
    const high = wide ? block.readUInt32BE(at + 8) : 0
    tags.push({
      block: high * 2 ** 32 + block.readUInt32BE(at),
      escaped: (flags & TagFlag.escaped) !== 0,
      checksum: checksums === 3 ? block.readUInt32BE(at + 12) : block.readUInt16BE(at + 4),
    })
    at += size + ((flags & TagFlag.sameUuid) === 0 ? UUID_SIZE : 0)
    if ((flags & TagFlag.last) !== 0) break
  }
  return tags
}

/** Undefined when the numbers run out of the block. */
export function readRevocations(block: Buffer, { checksums, wide }: JournalFormat): number[] | undefined {
  const used = block.readUInt32BE(HEADER)
  const end = block.length - (checksums >= 2 ? TAIL : 0)
  if (used > end) return undefined
  const size = wide ? 8 : 4
  const blocks: number[] = []
  for (let at = HEADER + 4; at + size <= used; at += size) {
    blocks.push(wide ? block.readUInt32BE(at) * 2 ** 32 + block.readUInt32BE(at + 4) : block.readUInt32BE(at))
  }
  return blocks
}

/** Of a descriptor or a revocation block: v2 and v3 end with a checksum. */
export function hasRightTail(block: Buffer, { checksums, seed }: JournalFormat): boolean {
  if (checksums < 2) return true
  const at = block.length - TAIL
  return crc32c(crc32c(seed, block, 0, at), new Uint8Array(TAIL)) === block.readUInt32BE(at)
}

/** Of a commit block. @param transaction the sum over a transaction's blocks, for v1 */
export function hasRightCommit(block: Buffer, { checksums, seed }: JournalFormat, transaction: number): boolean {
  const stored = block.readUInt32BE(COMMIT_CHECKSUM)
  if (checksums === 0) return true
  if (checksums === 1) {
    const type = block.readUInt8(HEADER)
    const size = block.readUInt8(HEADER + 1)
    if (type === 0 && size === 0 && stored === 0) return true
    return type === CRC32_TYPE && size === CRC32_SIZE && stored === transaction
  }
  const copy = Buffer.from(block)
  copy.writeUInt32BE(0, COMMIT_CHECKSUM)
  return crc32c(seed, copy) === stored
}

/** Of a data block as it stands in the log. */
export function hasRightData(
  block: Buffer,
  sequence: number,
  checksum: number,
  { checksums, seed }: JournalFormat,
): boolean {
  if (checksums < 2) return true
  const number = Buffer.alloc(4)
  number.writeUInt32BE(sequence)
  const sum = crc32c(crc32c(seed, number), block)
  return checksums === 3 ? sum === checksum : (sum & 0xffff) === checksum
}
