import { RunGuard, type BlockLedger, type BlockRun, type MapContext } from './block-run.js'
import { extentRuns, rootRuns } from './extents.js'
import type { Place } from './faults.js'
import { indirectRuns } from './indirect-blocks.js'
import { Flag, type StoredInode } from './stored-inode.js'

/**
 * Where a file's blocks are, in rising order up to its size, each within the file system, and no more of them than the
 * file system has. Not for inline data and fast symlinks.
 * @param ledger when many files are read, so that all together they have no more either
 * @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM
 */
export function blockRuns(
  inode: StoredInode,
  place: Place,
  context: MapContext,
  ledger?: BlockLedger,
): Iterable<BlockRun> | AsyncIterable<BlockRun> {
  const guard = new RunGuard(place, context.volume, ledger)
  const end = Math.ceil(inode.size / context.volume.blockSize)
  if ((inode.flags & Flag.extents) === 0) return indirectRuns(inode, end, guard, context)
  return rootRuns(inode, end, guard) ?? extentRuns(inode, end, guard, context)
}
