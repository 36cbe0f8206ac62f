import { CRC32C_START, crc32c } from '../../crc32c.js'
import { JOURNAL_MAGIC, JOURNAL_SUPERBLOCK_SIZE } from '../../journal.js'
import { damagedJournal, unsupported } from '../faults.js'

/**
 * The superblock of a journal, big-endian; drawn in ../../journal.ts. Kernel documentation: filesystems/ext4, "Journal
 * (jbd2)".
 */
export interface JournalFormat {
  /** First block of the log within the journal. */
  readonly first: number
  /** Behind its last block; what follows is for fast commits. */
  readonly end: number
  /** Where the oldest transaction begins; 0: nothing is to be replayed. */
  readonly start: number
  /** The number of that transaction. */
  readonly sequence: number
  /** 1: of whole transactions; 2 and 3: of each block. */
  readonly checksums: 0 | 1 | 2 | 3
  readonly seed: number
  readonly wide: boolean
  /** A transaction may be torn without meaning damage. */
  readonly asynchronous: boolean
  readonly fastCommits: boolean
}

const SUPERBLOCK_V1 = 3
const SUPERBLOCK_V2 = 4
const Incompat = {
  revoke: 0x1,
  wide: 0x2,
  asynchronous: 0x4,
  checksum2: 0x8,
  checksum3: 0x10,
  fastCommits: 0x20,
} as const
const KNOWN = 0x3f
const CHECKSUM_OFFSET = 0xfc
const DEFAULT_FAST_BLOCKS = 256
const MIN_JOURNAL = 1024

/** @param blocks of the journal's inode @throws C2M_EXT4_JOURNAL, C2M_EXT4_UNSUPPORTED */
export function decodeJournal(bytes: Buffer, blockSize: number, blocks: number): JournalFormat {
  const u32 = (offset: number): number => bytes.readUInt32BE(offset)
  const version = u32(0x04)
  if (u32(0) !== JOURNAL_MAGIC || (version !== SUPERBLOCK_V1 && version !== SUPERBLOCK_V2)) {
    throw damagedJournal('it has no superblock')
  }
  const incompat = version === SUPERBLOCK_V2 ? u32(0x28) : 0
  const has = (bit: number): boolean => (incompat & bit) !== 0
  if ((incompat & ~KNOWN) !== 0 || (version === SUPERBLOCK_V2 && u32(0x2c) !== 0)) {
    const bits = `incompat 0x${incompat.toString(16)}, ro_compat 0x${u32(0x2c).toString(16)}`
    throw unsupported(
      `its journal has unknown features (${bits})`,
      'run e2fsck on a copy of the disk, then take the copy',
    )
  }
  const perBlock = has(Incompat.checksum2) || has(Incompat.checksum3)
  if (perBlock) {
    const copy = Buffer.from(bytes.subarray(0, JOURNAL_SUPERBLOCK_SIZE))
    copy.writeUInt32BE(0, CHECKSUM_OFFSET)
    if (crc32c(CRC32C_START, copy) !== u32(CHECKSUM_OFFSET))
      throw damagedJournal('the checksum of its superblock is wrong')
  }
  const last = u32(0x10)
  const fastBlocks = has(Incompat.fastCommits) ? u32(0x54) || DEFAULT_FAST_BLOCKS : 0
  const format: JournalFormat = {
    first: u32(0x14),
    end: last - fastBlocks >= MIN_JOURNAL ? last - fastBlocks : last,
    start: u32(0x1c),
    sequence: u32(0x18),
    checksums: has(Incompat.checksum3)
      ? 3
      : has(Incompat.checksum2)
        ? 2
        : version === SUPERBLOCK_V2 && (u32(0x24) & 1) === 1
          ? 1
          : 0,
    seed: crc32c(CRC32C_START, bytes, 0x30, 0x40),
    wide: has(Incompat.wide),
    asynchronous: has(Incompat.asynchronous),
    fastCommits: has(Incompat.fastCommits),
  }
  if (u32(0x0c) !== blockSize)
    throw damagedJournal(`its blocks are of ${u32(0x0c)} bytes, the file system's of ${blockSize}`)
  if (last > blocks) throw damagedJournal(`it tells ${last} blocks, but has ${blocks}`)
  const { first, end, start } = format
  if (first === 0 || first >= end || (start !== 0 && (start < first || start >= end))) {
    throw damagedJournal(`its log of blocks ${first} to ${end} starts at block ${start}`)
  }
  return format
}
