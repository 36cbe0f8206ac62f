/**
 * Kernel documentation: filesystems/ext4, "Journal (jbd2)", "Super Block". The first block of the journal's inode,
 * big-endian. A journal that is clean has s_start 0; what its other blocks hold does not matter.
 *
 *     0x00  magic 0xc03b3998     block type 4         sequence 0           block size
 *     0x10  blocks (maxlen)      first log block 1    first sequence 1     start of log 0
 *     0x20  errno                feature_compat       feature_incompat     feature_ro_compat
 *     0x30  uuid[16]
 *     0x40  users (nr_users)     …
 */
export const JOURNAL_MAGIC = 0xc03b3998
export const JOURNAL_SUPERBLOCK_SIZE = 1024
/** JBD2_MIN_JOURNAL_BLOCKS. */
export const MIN_JOURNAL_BLOCKS = 1024
const SUPERBLOCK_V2 = 4

export interface JournalSuperblock {
  /** Bytes. */
  readonly blockSize: number
  readonly blocks: number
  /** The file system's, when the journal is inside it. */
  readonly uuid: Uint8Array
}

/** An empty, clean journal. */
export function encodeJournalSuperblock({ blockSize, blocks, uuid }: JournalSuperblock): Buffer {
  const bytes = Buffer.alloc(JOURNAL_SUPERBLOCK_SIZE)
  bytes.writeUInt32BE(JOURNAL_MAGIC, 0x00)
  bytes.writeUInt32BE(SUPERBLOCK_V2, 0x04)
  bytes.writeUInt32BE(blockSize, 0x0c)
  bytes.writeUInt32BE(blocks, 0x10)
  bytes.writeUInt32BE(1, 0x14)
  bytes.writeUInt32BE(1, 0x18)
  bytes.set(uuid, 0x30)
  bytes.writeUInt32BE(1, 0x40)
  return bytes
}

/** Whether nothing has to be replayed; undefined when it is not a journal. */
export function isCleanJournal(bytes: Buffer): boolean | undefined {
  if (bytes.readUInt32BE(0) !== JOURNAL_MAGIC) return undefined
  return bytes.readUInt32BE(0x1c) === 0
}
