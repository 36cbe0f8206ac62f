import type { BlockSource } from '@c2m/disk'
import { throwIfAborted } from '@c2m/process'
import { blockRuns } from '../block-map.js'
import type { BlockRun } from '../block-run.js'
import { damagedJournal, unsupported } from '../faults.js'
import type { FileSystem } from '../file-system.js'
import { hasRightData } from './log-block.js'
import { JournalBlocks } from './journal-blocks.js'
import { readLog, type LoggedBlock } from './log.js'
import { PatchedSource, type Patch } from './patched-source.js'
import { decodeJournal, type JournalFormat } from './superblock.js'

/**
 * What a file system with `needs_recovery` looks like after its journal was replayed, or undefined when there is nothing
 * to replay. Nothing is written: blocks are read from where they stand in the journal.
 * @throws C2M_EXT4_JOURNAL, C2M_EXT4_UNSUPPORTED, C2M_EXT4_DAMAGED, C2M_INTERRUPTED
 */
export async function replayJournal(fileSystem: FileSystem): Promise<BlockSource | undefined> {
  const { volume, source, notice } = fileSystem
  if (!volume.features.has('needs_recovery') || !volume.features.has('has_journal')) return undefined
  if (volume.superblock.journalInode === 0) {
    throw unsupported(
      'it was not unmounted, and its journal is on another device',
      'replay it first, with e2fsck on copies of both disks',
    )
  }
  const journal = await openJournal(fileSystem)
  const format = decodeJournal(await journal.read(0), volume.blockSize, journal.length)
  if (format.start === 0) return undefined
  const log = await readLog(journal, format, fileSystem.signal)
  await checkData(log.blocks, journal, format, fileSystem)
  const patches = [...log.blocks].map(([block, { at, escaped }]) => ({ block, from: journal.locate(at), escaped }))
  checkTargets(patches, volume.blocks)
  const { transactions } = log
  notice(
    `the file system was not unmounted: ${transactions} transaction${transactions === 1 ? '' : 's'} of its journal (${patches.length} blocks) replayed in memory`,
  )
  if (log.tornTransaction !== undefined) {
    notice(`the journal ends with transaction ${log.tornTransaction}, which is damaged and was left out`)
  }
  if (format.fastCommits && (await hasFastCommits(journal, format, log.nextSequence))) {
    notice(
      'the journal ends with fast commits, which cannot be replayed: what was written in the last seconds is missing',
    )
  }
  return new PatchedSource(source, volume.blockSize, patches)
}

async function openJournal(fileSystem: FileSystem): Promise<JournalBlocks> {
  const { volume, metadata, inodes } = fileSystem
  const place = { inode: volume.superblock.journalInode, path: undefined }
  const inode = await inodes.read(place, 'internal')
  const runs: BlockRun[] = []
  for await (const run of blockRuns(inode, place, fileSystem)) runs.push(run)
  return new JournalBlocks(runs, volume.blockSize, metadata)
}

/** Blocks that are replayed must be as they were written; those of older transactions do not matter any more. */
async function checkData(
  blocks: ReadonlyMap<number, LoggedBlock>,
  journal: JournalBlocks,
  format: JournalFormat,
  { signal }: FileSystem,
): Promise<void> {
  if (format.checksums < 2) return
  for (const [block, { at, sequence, checksum }] of blocks) {
    throwIfAborted(signal)
    if (hasRightData(await journal.read(at), sequence, checksum, format)) continue
    throw damagedJournal(`the checksum of its copy of block ${block} is wrong`)
  }
}

function checkTargets(patches: readonly Patch[], blocks: number): void {
  const wrong = patches.find(({ block }) => block >= blocks)
  if (wrong !== undefined) throw damagedJournal(`it holds block ${wrong.block}, outside of the file system`)
}

const FAST_COMMIT_HEAD = 9
const HEAD_LENGTH = 8

/**
 * Whether a fast commit follows the last transaction: the area begins with a head (little-endian) that tells its number.
 *
 *     | tag 9 u16 | length 8 u16 | features u32 | transaction u32 |
 */
async function hasFastCommits(journal: JournalBlocks, { end }: JournalFormat, sequence: number): Promise<boolean> {
  if (end + 1 >= journal.length) return false
  const block = await journal.read(end + 1)
  const isHead = block.readUInt16LE(0) === FAST_COMMIT_HEAD && block.readUInt16LE(2) === HEAD_LENGTH
  return isHead && block.readUInt32LE(8) === sequence
}
