import type { Extent } from '@c2m/plugin-api'
import { blockRuns } from '../block-map.js'
import type { BlockLedger, BlockRun } from '../block-run.js'
import { encrypted, type Place } from '../faults.js'
import type { FileSystem } from '../file-system.js'
import { inlineContent } from '../inline-data.js'
import { hasInlineData, isEncrypted } from '../inode-reader.js'
import type { StoredInode } from '../stored-inode.js'

/** Bytes of a file that stand together. */
export interface ByteRun {
  /** Bytes from the start of the file. */
  readonly offset: number
  /** Bytes from the start of the file system. */
  readonly position: number
  /** Bytes. */
  readonly length: number
}

/** How a file is read: bytes at hand, or runs on the disk. */
export type FilePlan =
  { readonly inline: Extent | undefined } | { readonly runs: Iterable<ByteRun> | AsyncIterable<ByteRun> }

/** @throws C2M_EXT4_ENCRYPTED, C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM, also while runs are asked for */
export function planFile(inode: StoredInode, place: Place, fileSystem: FileSystem, ledger?: BlockLedger): FilePlan {
  if (inode.size === 0) return { inline: undefined }
  if (isEncrypted(inode)) throw encrypted(place)
  if (hasInlineData(inode)) return { inline: { offset: 0, data: inlineContent(inode, place) } }
  const runs = blockRuns(inode, place, fileSystem, ledger)
  const { blockSize } = fileSystem.volume
  return {
    runs: isAtHand(runs) ? runs.map((run) => toBytes(run, inode.size, blockSize)) : bytesOf(runs, inode, blockSize),
  }
}

/**
 * Where a file's first byte stands, to read files in the order of the disk; 0 for those without blocks. What is wrong
 * with a file is said when it is read.
 */
export function firstPosition(
  inode: StoredInode,
  place: Place,
  fileSystem: FileSystem,
  ledger: BlockLedger,
): number | Promise<number> {
  if (inode.size === 0 || isEncrypted(inode) || hasInlineData(inode)) return 0
  try {
    const runs = blockRuns(inode, place, fileSystem, ledger)
    return isAtHand(runs) ? (runs[0]?.block ?? 0) * fileSystem.volume.blockSize : askFirst(runs, fileSystem)
  } catch {
    return 0
  }
}

async function askFirst(runs: Iterable<BlockRun> | AsyncIterable<BlockRun>, { volume }: FileSystem): Promise<number> {
  try {
    for await (const { block } of runs) return block * volume.blockSize
  } catch {
    // said when the file is read
  }
  return 0
}

function isAtHand(runs: Iterable<BlockRun> | AsyncIterable<BlockRun>): runs is readonly BlockRun[] {
  return Array.isArray(runs)
}

async function* bytesOf(
  runs: Iterable<BlockRun> | AsyncIterable<BlockRun>,
  { size }: StoredInode,
  blockSize: number,
): AsyncGenerator<ByteRun> {
  for await (const run of runs) yield toBytes(run, size, blockSize)
}

function toBytes({ logical, block, count }: BlockRun, size: number, blockSize: number): ByteRun {
  const offset = logical * blockSize
  return { offset, position: block * blockSize, length: Math.min(count * blockSize, size - offset) }
}
