import type { BlockWriter } from './block-writer.js'
import { BLOCK_SIZE, BLOCKS_PER_GROUP, INODE_SIZE } from './constants.js'
import { crc32c } from './crc32c.js'
import { baseBlocks, groupBlocks, type Geometry } from './geometry.js'
import { encodeGroupDescriptor, GroupFlag } from './group-descriptor.js'
import { isDirectoryInode, isEmptyInode, setInodeChecksum } from './inode.js'
import type { InodeTable } from './inode-table.js'
import { metadataSeed, type Settings } from './options.js'

export interface GroupTotals {
  readonly freeBlocks: number
  readonly freeInodes: number
  /** All descriptors, whole blocks. */
  readonly descriptors: Buffer
}

/** Writes the inode tables as far as they are in use, and returns the number of directories in each group. */
export async function writeInodeTables(
  inodes: InodeTable,
  geometry: Geometry,
  settings: Settings,
  writer: BlockWriter,
): Promise<Uint32Array> {
  const { groups, inodesPerGroup, inodeTables } = geometry
  const seed = metadataSeed(settings)
  const directories = new Uint32Array(groups)
  for (let group = 0; group * inodesPerGroup < inodes.last; group++) {
    const first = group * inodesPerGroup + 1
    let offset = inodeTables[group]! * BLOCK_SIZE
    let number = first
    for (const piece of inodes.pieces(first, Math.min(first + inodesPerGroup, inodes.last + 1))) {
      for (let at = 0; at < piece.length; at += INODE_SIZE, number++) {
        const inode = piece.subarray(at, at + INODE_SIZE)
        if (isEmptyInode(inode)) continue
        if (isDirectoryInode(inode)) directories[group]!++
        if (seed !== undefined) setInodeChecksum(inode, number, seed)
      }
      await writer.put(offset, piece)
      offset += piece.length
    }
  }
  return directories
}

/**
 * Writes the bitmaps and makes the group descriptors. In use are the metadata and all blocks below `nextBlock`.
 * Bitmaps of untouched groups are left out where descriptors have checksums; the kernel makes them when it needs them.
 */
export async function writeBitmaps(
  geometry: Geometry,
  settings: Settings,
  state: { readonly nextBlock: number; readonly lastInode: number; readonly directories: Uint32Array },
  writer: BlockWriter,
): Promise<GroupTotals> {
  const { groups, inodesPerGroup, descriptorSize, descriptorBlocks } = geometry
  const { checksums } = settings
  const lazy = checksums.kind !== 'none'
  const used = new UsedBlocks(geometry, state.nextBlock)
  const descriptors = Buffer.alloc(descriptorBlocks * BLOCK_SIZE)
  const bitmap = Buffer.alloc(BLOCK_SIZE)
  const checksum = (bytes: number): number =>
    checksums.kind === 'crc32c' ? crc32c(checksums.seed, bitmap, 0, bytes) : 0
  let freeBlocks = 0
  let freeInodes = 0
  for (let group = 0; group < groups; group++) {
    let flags = lazy ? GroupFlag.tableZeroed : 0
    const usedBlocks = used.fill(bitmap, group)
    let blockBitmapChecksum = 0
    // the kernel assumes that nothing but the group's own metadata is in use in a group without a bitmap
    if (lazy && group > 0 && group < groups - 1 && usedBlocks === ownBlocks(geometry, group)) {
      flags |= GroupFlag.blockUninit
    } else {
      blockBitmapChecksum = checksum(BLOCKS_PER_GROUP / 8)
      await writer.putBlock(geometry.blockBitmaps[group]!, bitmap)
    }
    const usedInodes = Math.min(Math.max(state.lastInode - group * inodesPerGroup, 0), inodesPerGroup)
    let inodeBitmapChecksum = 0
    if (lazy && usedInodes === 0) {
      flags |= GroupFlag.inodeUninit
    } else {
      bitmap.fill(0)
      setBits(bitmap, 0, usedInodes)
      setBits(bitmap, inodesPerGroup, BLOCK_SIZE * 8)
      inodeBitmapChecksum = checksum(inodesPerGroup / 8)
      await writer.putBlock(geometry.inodeBitmaps[group]!, bitmap)
    }
    const free = groupBlocks(geometry, group) - usedBlocks
    freeBlocks += free
    freeInodes += inodesPerGroup - usedInodes
    const descriptor = {
      blockBitmap: geometry.blockBitmaps[group]!,
      inodeBitmap: geometry.inodeBitmaps[group]!,
      inodeTable: geometry.inodeTables[group]!,
      freeBlocks: free,
      freeInodes: inodesPerGroup - usedInodes,
      directories: state.directories[group]!,
      flags,
      blockBitmapChecksum,
      inodeBitmapChecksum,
      unusedInodes: lazy ? inodesPerGroup - usedInodes : 0,
    }
    const at = group * descriptorSize
    encodeGroupDescriptor(descriptors.subarray(at, at + descriptorSize), group, descriptor, checksums)
  }
  return { freeBlocks, freeInodes, descriptors }
}

/** Blocks of a group that hold its superblock copy, descriptors, bitmaps and inode table. */
function ownBlocks(geometry: Geometry, group: number): number {
  const start = group * BLOCKS_PER_GROUP
  const isInside = (block: number): boolean => block >= start && block < start + BLOCKS_PER_GROUP
  let blocks = baseBlocks(geometry, group)
  if (isInside(geometry.blockBitmaps[group]!)) blocks++
  if (isInside(geometry.inodeBitmaps[group]!)) blocks++
  if (isInside(geometry.inodeTables[group]!)) blocks += geometry.tableBlocks
  return blocks
}

/** Which blocks are in use, group by group in rising order. */
class UsedBlocks {
  readonly #geometry: Geometry
  readonly #nextBlock: number
  #range = 0

  constructor(geometry: Geometry, nextBlock: number) {
    this.#geometry = geometry
    this.#nextBlock = nextBlock
  }

  /** Sets the group's bits, and those behind its last block, and returns how many of its blocks are in use. */
  fill(bitmap: Buffer, group: number): number {
    const { metadata } = this.#geometry
    const start = group * BLOCKS_PER_GROUP
    const size = groupBlocks(this.#geometry, group)
    bitmap.fill(0)
    const below = Math.min(Math.max(this.#nextBlock - start, 0), size)
    let used = below
    setBits(bitmap, 0, below)
    for (; this.#range < metadata.length && metadata[this.#range]! < start + size; this.#range += 2) {
      const from = Math.max(metadata[this.#range]! - start, below)
      const end = Math.min(metadata[this.#range + 1]! - start, size)
      if (end > from) {
        used += end - from
        setBits(bitmap, from, end)
      }
      // a range that goes on is met again in the next group
      if (metadata[this.#range + 1]! > start + size) break
    }
    setBits(bitmap, size, BLOCKS_PER_GROUP)
    return used
  }
}

/** Sets bits [from, end). */
function setBits(bitmap: Buffer, from: number, end: number): void {
  let at = from
  for (; at < end && at % 8 !== 0; at++) bitmap[at >> 3]! |= 1 << (at % 8)
  const wholeEnd = end - (end % 8)
  if (at < wholeEnd) {
    bitmap.fill(0xff, at >> 3, wholeEnd >> 3)
    at = wholeEnd
  }
  for (; at < end; at++) bitmap[at >> 3]! |= 1 << (at % 8)
}
