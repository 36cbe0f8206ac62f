import { throwIfAborted } from '@c2m/process'
import { damagedJournal } from '../faults.js'
import { CRC32_START, crc32BigEndian } from './crc32-big-endian.js'
import type { JournalBlocks } from './journal-blocks.js'
import { BlockType, hasRightCommit, hasRightTail, logBlockType, readRevocations, readTags } from './log-block.js'
import type { JournalFormat } from './superblock.js'

/** A block's newest content in the log. */
export interface LoggedBlock {
  /** Block of the journal. */
  readonly at: number
  /** Its transaction. */
  readonly sequence: number
  readonly escaped: boolean
  readonly checksum: number
}

export interface Log {
  /** By block of the file system: what has to go there. */
  readonly blocks: ReadonlyMap<number, LoggedBlock>
  readonly transactions: number
  /** The number that the next transaction would have. */
  readonly nextSequence: number
  /** The number of a transaction that was committed, but is not whole. */
  readonly tornTransaction: number | undefined
}

interface Transaction {
  readonly sequence: number
  readonly blocks: [block: number, logged: LoggedBlock][]
  readonly revoked: number[]
  sum: number
}

/**
 * Reads the log from its oldest transaction to the last that was committed (as fs/jbd2/recovery.c does, whose three
 * passes are one here). A block that is revoked is not replayed from that transaction or an older one.
 * @throws C2M_EXT4_JOURNAL, C2M_INTERRUPTED
 */
export async function readLog(
  journal: JournalBlocks,
  format: JournalFormat,
  signal: AbortSignal | undefined,
): Promise<Log> {
  const blocks = new Map<number, LoggedBlock>()
  const revocations = new Map<number, number>()
  const length = format.end - format.first
  const wrap = (index: number): number => (index >= format.end ? index - length : index)
  let transactions = 0
  let torn: number | undefined
  let transaction = begin(format.sequence)
  let at = format.start
  for (let visited = 0; visited < length; visited++) {
    throwIfAborted(signal)
    const block = await journal.read(at)
    const type = logBlockType(block, transaction.sequence)
    at = wrap(at + 1)
    if (type === BlockType.descriptor) {
      if (!hasRightTail(block, format)) break
      const tags = readTags(block, format)
      if (format.checksums === 1) transaction.sum = crc32BigEndian(transaction.sum, block)
      for (const { block: target, escaped, checksum } of tags) {
        if (format.checksums === 1) transaction.sum = crc32BigEndian(transaction.sum, await journal.read(at))
        transaction.blocks.push([target, { at, sequence: transaction.sequence, escaped, checksum }])
        at = wrap(at + 1)
      }
      visited += tags.length
    } else if (type === BlockType.revocation) {
      if (!hasRightTail(block, format)) break
      const revoked = readRevocations(block, format)
      if (revoked === undefined)
        throw damagedJournal(`a block of transaction ${transaction.sequence} revokes more than it holds`)
      for (const target of revoked) transaction.revoked.push(target)
    } else if (type === BlockType.commit) {
      if (!hasRightCommit(block, format, transaction.sum)) {
        torn = transaction.sequence
        break
      }
      for (const [target, logged] of transaction.blocks) blocks.set(target, logged)
      for (const target of transaction.revoked) revocations.set(target, transaction.sequence)
      transactions++
      transaction = begin((transaction.sequence + 1) >>> 0)
    } else break
  }
  for (const [block, { sequence }] of blocks) {
    const revoked = revocations.get(block)
    if (revoked !== undefined && isNotBefore(revoked, sequence)) blocks.delete(block)
  }
  return { blocks, transactions, nextSequence: transaction.sequence, tornTransaction: torn }
}

function begin(sequence: number): Transaction {
  return { sequence, blocks: [], revoked: [], sum: CRC32_START }
}

/** Numbers of transactions wrap around at 2^32. */
function isNotBefore(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0
}
