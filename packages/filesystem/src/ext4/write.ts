import type { BlockTarget } from '@c2m/disk'
import type { Rootfs } from '@c2m/plugin-api'
import type { Ext4Loss } from './attributes.js'
import { BlockAllocator } from './block-allocator.js'
import { BlockWriter } from './block-writer.js'
import { BLOCK_SIZE, MAX_BLOCKS } from './constants.js'
import { noSpace, optionError } from './errors.js'
import { FileWriter } from './file-writer.js'
import type { FileExtent } from './extent.js'
import type { Inventory } from './inventory.js'
import { takeInventory } from './inventory-taker.js'
import { checkOptions, metadataSeed, type Ext4Options, type Settings } from './options.js'
import { countHoles, demandOf, minimumBlocks, planLayout, type Layout } from './space.js'
import { writeBodies, writeDirectories, writeSymlinks, writeXattrBlocks, type TreeWriter } from './tree-writer.js'
import { writeBitmaps, writeInodeTables } from './groups.js'
import { writeJournalInode } from './journal-inode.js'
import { writeResizeInode } from './resize-inode.js'
import { writeSuperblocks } from './superblocks.js'

export interface Ext4Report {
  readonly blocks: number
  readonly freeBlocks: number
  readonly inodes: number
  readonly freeInodes: number
  /** Of the files in `locate` that are there, in blocks of 4096 bytes counted from the target's start. */
  readonly extents: ReadonlyMap<string, readonly FileExtent[]>
  /** What ext4 cannot hold and was left out or changed. */
  readonly losses: readonly Ext4Loss[]
}

/** A file system whose tree has been read, but for the contents of its files. */
export interface Ext4Plan {
  readonly entries: number
  /** Sum of the sizes of all files. */
  readonly contentBytes: number
  /**
   * The smallest size that surely fits. Reads those files above 256 MiB, which may have holes; smaller ones count in full.
   * @throws C2M_EXT4_OPTION above 16 TiB, C2M_INTERRUPTED
   */
  minimumBytes(): Promise<number>
  /**
   * Writes the whole file system; once. Blocks that nothing is stored in are not written: the target must read as zeros
   * there. The first 1024 bytes, where boot code may stand, are not written either. Same tree and options, same bytes.
   * mtime is the entry's, atime is mtime, ctime and crtime are `options.time`.
   * @throws C2M_EXT4_NO_SPACE before anything is written
   * @throws C2M_EXT4_OPTION, C2M_EXT4_TREE, C2M_EXT4_UNSTORABLE, C2M_INTERRUPTED
   */
  write(target: BlockTarget): Promise<Ext4Report>
}

/**
 * Walks the tree, once for both its size and its writing.
 * @throws C2M_EXT4_OPTION, C2M_EXT4_TREE, C2M_EXT4_UNSTORABLE, C2M_INTERRUPTED
 */
export async function planExt4(rootfs: Rootfs, options: Ext4Options): Promise<Ext4Plan> {
  const settings = checkOptions(options)
  const inventory = await takeInventory(rootfs, settings, options)
  return {
    entries: inventory.entries,
    contentBytes: inventory.contentBytes,
    async minimumBytes() {
      const demand = demandOf(inventory, settings.features, await countHoles(rootfs, inventory, options.signal))
      return minimumBlocks(demand, settings.features) * BLOCK_SIZE
    },
    write: (target) => writePlanned(rootfs, inventory, settings, target, options),
  }
}

/** `planExt4` and its `write`, for who knows the size. */
export async function writeExt4(rootfs: Rootfs, target: BlockTarget, options: Ext4Options): Promise<Ext4Report> {
  return (await planExt4(rootfs, options)).write(target)
}

async function writePlanned(
  rootfs: Rootfs,
  inventory: Inventory,
  settings: Settings,
  target: BlockTarget,
  options: Ext4Options,
): Promise<Ext4Report> {
  const blocks = Math.floor(target.size / BLOCK_SIZE)
  if (blocks > MAX_BLOCKS)
    throw optionError(`an ext4 of ${target.size} bytes cannot be made`, 'the largest one has 16 TiB')
  const layout = await findLayout(rootfs, inventory, settings, target, options.signal)
  const writer = new BlockWriter(target, options)
  try {
    return await writeAll(rootfs, inventory, layout, settings, writer, target)
  } finally {
    await writer.settle()
  }
}

/** @throws C2M_EXT4_NO_SPACE */
async function findLayout(
  rootfs: Rootfs,
  inventory: Inventory,
  { features }: Settings,
  target: BlockTarget,
  signal: AbortSignal | undefined,
): Promise<Layout> {
  const blocks = Math.floor(target.size / BLOCK_SIZE)
  const layout = planLayout(blocks, demandOf(inventory, features), features)
  if (layout !== undefined) return layout
  const demand = demandOf(inventory, features, await countHoles(rootfs, inventory, signal))
  const tighter = planLayout(blocks, demand, features)
  if (tighter !== undefined) return tighter
  throw noSpace(minimumBlocks(demand, features) * BLOCK_SIZE, target.size)
}

async function writeAll(
  rootfs: Rootfs,
  inventory: Inventory,
  { geometry, journalBlocks }: Layout,
  settings: Settings,
  writer: BlockWriter,
  target: BlockTarget,
): Promise<Ext4Report> {
  const { features } = settings
  const { inodes } = inventory
  const allocator = new BlockAllocator(geometry, () => noSpace(target.size + BLOCK_SIZE, target.size))
  const seed = metadataSeed(settings)
  const files = new FileWriter({ allocator, writer, seed, hugeFiles: features.has('huge_file') })
  const tree: TreeWriter = { inventory, allocator, writer, files, seed }

  if (features.has('resize_inode')) await writeResizeInode(inodes, geometry, settings, allocator, writer)
  const journalBackup =
    journalBlocks === 0 ? Buffer.alloc(0) : await writeJournalInode(inodes, journalBlocks, settings, allocator, writer)
  await writeDirectories(tree)
  await writeSymlinks(tree)
  await writeXattrBlocks(tree)
  const extents = await writeBodies(tree, rootfs)

  const directories = await writeInodeTables(inodes, geometry, settings, writer)
  const state = { nextBlock: allocator.next, lastInode: inodes.last, directories }
  const { freeBlocks, freeInodes, descriptors } = await writeBitmaps(geometry, settings, state, writer)
  await writeSuperblocks(
    { geometry, settings, journalBlocks, journalBackup, freeBlocks, freeInodes, descriptors },
    writer,
  )
  await writer.flush()
  return {
    blocks: geometry.blocks,
    freeBlocks,
    inodes: geometry.groups * geometry.inodesPerGroup,
    freeInodes,
    extents,
    losses: inventory.losses,
  }
}
