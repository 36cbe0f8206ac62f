import type { Rootfs } from '@c2m/plugin-api'
import { throwIfAborted } from '@c2m/process'
import { BLOCK_SIZE, BLOCKS_PER_GROUP, MAX_BLOCKS } from './constants.js'
import { optionError } from './errors.js'
import { extentTreeBlocks } from './extent-tree.js'
import { planGeometry, type Geometry } from './geometry.js'
import type { Inventory } from './inventory.js'
import { MIN_JOURNAL_BLOCKS } from './journal.js'

/** What a tree needs of a file system. */
export interface Demand {
  /** Inodes, with a reserve for a machine that lives. */
  readonly inodes: number
  /** Blocks beside metadata and journal; never too few. */
  readonly blocks: number
}

/** Metadata and journal for a demand. */
export interface Layout {
  readonly geometry: Geometry
  readonly journalBlocks: number
}

const INODE_RESERVE = 1.25
const SPARE_INODES = 16
/** mke2fs makes no journal on smaller file systems. */
const MIN_BLOCKS_WITH_JOURNAL = 2048
/** Below so many blocks the journal has so many; mke2fs goes on to 1 GiB, but 64 MiB are plenty for a machine's root. */
const JOURNAL_SIZES: readonly (readonly [below: number, blocks: number])[] = [
  [32_768, 1024],
  [262_144, 4096],
  [524_288, 8192],
  [Infinity, 16_384],
]

/** @param holes blocks of large files that turned out to be holes */
export function demandOf(inventory: Inventory, features: ReadonlySet<string>, holes = 0): Demand {
  const { fileSizes, directoryBlocks, symlinks, xattrBlocks, inodes } = inventory
  let blocks = directoryBlocks + symlinks.length / 3 + xattrBlocks.length + (features.has('resize_inode') ? 1 : 0)
  for (let index = 0; index < fileSizes.length; index++) blocks += fileBlocks(fileSizes.at(index))
  return { blocks: blocks - holes, inodes: Math.ceil(inodes.last * INODE_RESERVE) + SPARE_INODES }
}

/** Blocks of a file without holes, with its extent tree; extents end at metadata, which stands in few places of a group. */
function fileBlocks(size: number): number {
  const blocks = Math.ceil(size / BLOCK_SIZE)
  const extents = 2 * Math.ceil(blocks / BLOCKS_PER_GROUP) + 2
  return blocks + extentTreeBlocks(extents)
}

/** Blocks of large files that are holes, found by reading these files. @throws C2M_INTERRUPTED */
export async function countHoles(
  rootfs: Rootfs,
  inventory: Inventory,
  signal: AbortSignal | undefined,
): Promise<number> {
  let holes = 0
  for (const { path, size } of inventory.largeFiles) {
    let blocks = 0
    let extents = 0
    let end = 0
    for await (const { offset, data } of rootfs.stream(path)) {
      throwIfAborted(signal)
      const first = Math.max(Math.floor(offset / BLOCK_SIZE), end)
      const after = Math.ceil((offset + data.length) / BLOCK_SIZE)
      if (first > end || extents === 0) extents++
      if (after > end) {
        blocks += after - first
        end = after
      }
    }
    // a run of blocks may still be cut by metadata
    const pieces = extents + 2 * Math.ceil(blocks / BLOCKS_PER_GROUP) + 2
    holes += Math.max(fileBlocks(size) - blocks - extentTreeBlocks(pieces), 0)
  }
  return holes
}

/** Undefined when the demand does not fit. The journal is smaller than usual when only so it does. */
export function planLayout(blocks: number, demand: Demand, features: ReadonlySet<string>): Layout | undefined {
  const geometry = planGeometry(blocks, demand.inodes, features)
  if (geometry === undefined) return undefined
  const free = geometry.capacity - demand.blocks
  if (!features.has('has_journal')) return free >= 0 ? { geometry, journalBlocks: 0 } : undefined
  if (geometry.blocks < MIN_BLOCKS_WITH_JOURNAL) return undefined
  let journalBlocks = JOURNAL_SIZES.find(([below]) => geometry.blocks < below)![1]
  while (journalBlocks > free && journalBlocks > MIN_JOURNAL_BLOCKS) journalBlocks /= 2
  return journalBlocks <= free ? { geometry, journalBlocks } : undefined
}

/**
 * A number of blocks that holds a demand, as does every larger one; hardly more than the smallest.
 * @throws C2M_EXT4_OPTION above 16 TiB
 */
export function minimumBlocks(demand: Demand, features: ReadonlySet<string>): number {
  const journalBlocks = features.has('has_journal') ? MIN_JOURNAL_BLOCKS : 0
  let blocks = Math.max(demand.blocks + journalBlocks, journalBlocks > 0 ? MIN_BLOCKS_WITH_JOURNAL : 1)
  while (blocks <= MAX_BLOCKS) {
    const wanted = demand.blocks + roundingLoss(blocks)
    if (planLayout(blocks, { ...demand, blocks: wanted }, features) !== undefined) return blocks
    const capacity = planGeometry(blocks, demand.inodes, features)?.capacity ?? 0
    const step = capacity === 0 ? Math.ceil(blocks / 16) : wanted + journalBlocks - capacity
    blocks += Math.max(step, 16)
  }
  throw optionError('this tree needs an ext4 of more than 16 TiB', 'divide it among several file systems')
}

/**
 * Blocks by which a slightly larger file system may hold less: every group's inode table grows by a block at once, a
 * new descriptor block has many copies, a new group shares out the inodes anew.
 */
function roundingLoss(blocks: number): number {
  return 2 * Math.ceil(blocks / BLOCKS_PER_GROUP) + 64
}
