import { BLOCK_SIZE, BLOCKS_PER_GROUP, INODES_PER_BLOCK, MAX_INODES_PER_GROUP } from './constants.js'
import { LONG_DESCRIPTOR, SHORT_DESCRIPTOR } from './group-descriptor.js'

/**
 * Where metadata stands. Kernel documentation: filesystems/ext4, "Layout", "Flexible Block Groups", "Special inodes".
 *
 *     group 0, and groups 1, 3^n, 5^n, 7^n:  | superblock | descriptors | blocks reserved for descriptors |
 *     first group of 16 (flex_bg):           … | block bitmaps | inode bitmaps | inode tables |   of all 16
 *     every group (without flex_bg):         … | block bitmap | inode bitmap | inode table |
 */
export interface Geometry {
  readonly blocks: number
  readonly groups: number
  readonly inodesPerGroup: number
  /** Blocks. */
  readonly tableBlocks: number
  /** Bytes. */
  readonly descriptorSize: number
  readonly descriptorBlocks: number
  readonly reservedDescriptorBlocks: number
  readonly groupsPerFlex: number
  /** First blocks, by group. */
  readonly blockBitmaps: Uint32Array
  readonly inodeBitmaps: Uint32Array
  readonly inodeTables: Uint32Array
  /** All metadata, in rising order, never touching: [start, end) at 2n and 2n + 1. */
  readonly metadata: Uint32Array
  /** Blocks that are not metadata. */
  readonly capacity: number
  readonly sparse: boolean
}

const FLEX_GROUPS = 16
/** mke2fs's default: one inode for so many bytes. */
const BYTES_PER_INODE = 16_384
/** A last group with fewer free blocks than this is left out, as mke2fs does. */
const MIN_LAST_GROUP = 50
/** resize_inode reserves for growth by this factor, at most one block of addresses. */
const GROWTH = 1024
const MAX_RESERVED = BLOCK_SIZE / 4

/** Undefined when so many inodes do not fit into so many blocks. */
export function planGeometry(
  wantedBlocks: number,
  inodes: number,
  features: ReadonlySet<string>,
): Geometry | undefined {
  const descriptorSize = features.has('64bit') ? LONG_DESCRIPTOR : SHORT_DESCRIPTOR
  const sparse = features.has('sparse_super')
  const perBlock = BLOCK_SIZE / descriptorSize
  for (let blocks = wantedBlocks; blocks > 0;) {
    const groups = Math.ceil(blocks / BLOCKS_PER_GROUP)
    const descriptorBlocks = Math.ceil(groups / perBlock)
    const reserved = features.has('resize_inode') ? reservedBlocks(blocks, descriptorBlocks, perBlock) : 0
    const wantedInodes = Math.max(inodes, Math.floor((blocks * BLOCK_SIZE) / BYTES_PER_INODE))
    const inodesPerGroup = Math.ceil(wantedInodes / groups / INODES_PER_BLOCK) * INODES_PER_BLOCK
    if (inodesPerGroup > MAX_INODES_PER_GROUP || inodesPerGroup * groups >= 2 ** 32) return undefined
    const tableBlocks = inodesPerGroup / INODES_PER_BLOCK
    const base = 1 + descriptorBlocks + reserved
    const lastGroup = groups - 1
    const lastBlocks = blocks - lastGroup * BLOCKS_PER_GROUP
    const overhead = 2 + tableBlocks + (hasSuperblock(lastGroup, sparse) ? base : 0)
    if (lastBlocks < overhead + MIN_LAST_GROUP) {
      blocks = lastGroup * BLOCKS_PER_GROUP
      continue
    }
    const groupsPerFlex = features.has('flex_bg') ? FLEX_GROUPS : 1
    const sizes = { blocks, groups, base, sparse, tableBlocks, groupsPerFlex }
    const placed = placeTables(sizes)
    if (placed === undefined) return undefined
    const metadata = mergeRanges(sizes, placed)
    let capacity = blocks
    for (let at = 0; at < metadata.length; at += 2) capacity -= metadata[at + 1]! - metadata[at]!
    return {
      ...placed,
      blocks,
      groups,
      inodesPerGroup,
      tableBlocks,
      descriptorSize,
      descriptorBlocks,
      reservedDescriptorBlocks: reserved,
      groupsPerFlex,
      metadata,
      capacity,
      sparse,
    }
  }
  return undefined
}

/** Whether a group holds a copy of the superblock and the descriptors. */
export function hasSuperblock(group: number, sparse: boolean): boolean {
  if (!sparse || group <= 1) return true
  return [3, 5, 7].some((base) => isPower(group, base))
}

/** Blocks of superblock, descriptors and their reserve at a group's start. */
export function baseBlocks(geometry: Geometry, group: number): number {
  if (!hasSuperblock(group, geometry.sparse)) return 0
  return 1 + geometry.descriptorBlocks + geometry.reservedDescriptorBlocks
}

/** Blocks of a group; the last one may be short. */
export function groupBlocks({ blocks }: Geometry, group: number): number {
  return Math.min(BLOCKS_PER_GROUP, blocks - group * BLOCKS_PER_GROUP)
}

function isPower(value: number, base: number): boolean {
  let power = base
  while (power < value) power *= base
  return power === value
}

function reservedBlocks(blocks: number, descriptorBlocks: number, perBlock: number): number {
  const grown = Math.min(blocks * GROWTH, 2 ** 32 - 1)
  const grownDescriptors = Math.ceil(Math.ceil(grown / BLOCKS_PER_GROUP) / perBlock)
  return Math.min(Math.max(grownDescriptors - descriptorBlocks, 0), MAX_RESERVED)
}

interface Sizes {
  readonly blocks: number
  readonly groups: number
  readonly base: number
  readonly sparse: boolean
  readonly tableBlocks: number
  readonly groupsPerFlex: number
}

type Placed = Pick<Geometry, 'blockBitmaps' | 'inodeBitmaps' | 'inodeTables'>

function placeTables(sizes: Sizes): Placed | undefined {
  const { groups, groupsPerFlex, tableBlocks, blocks } = sizes
  const blockBitmaps = new Uint32Array(groups)
  const inodeBitmaps = new Uint32Array(groups)
  const inodeTables = new Uint32Array(groups)
  for (let first = 0; first < groups; first += groupsPerFlex) {
    const end = Math.min(first + groupsPerFlex, groups)
    let next = first * BLOCKS_PER_GROUP
    const place = (table: Uint32Array, count: number): void => {
      for (let group = first; group < end; group++) {
        table[group] = skipBase(next, count, sizes)
        next = table[group]! + count
      }
    }
    place(blockBitmaps, 1)
    place(inodeBitmaps, 1)
    place(inodeTables, tableBlocks)
    if (next > Math.min(end * BLOCKS_PER_GROUP, blocks)) return undefined
  }
  return { blockBitmaps, inodeBitmaps, inodeTables }
}

/** The first place from `start` on where `count` blocks do not touch a superblock and what follows it. */
function skipBase(start: number, count: number, { base, sparse }: Sizes): number {
  let at = start
  for (let group = Math.floor(at / BLOCKS_PER_GROUP); group * BLOCKS_PER_GROUP < at + count; group++) {
    const baseEnd = group * BLOCKS_PER_GROUP + base
    if (hasSuperblock(group, sparse) && baseEnd > at) at = baseEnd
  }
  return at
}

function mergeRanges({ groups, base, sparse, tableBlocks }: Sizes, placed: Placed): Uint32Array {
  const ranges: [start: number, end: number][] = []
  for (let group = 0; group < groups; group++) {
    const start = group * BLOCKS_PER_GROUP
    if (hasSuperblock(group, sparse)) ranges.push([start, start + base])
    ranges.push([placed.blockBitmaps[group]!, placed.blockBitmaps[group]! + 1])
    ranges.push([placed.inodeBitmaps[group]!, placed.inodeBitmaps[group]! + 1])
    ranges.push([placed.inodeTables[group]!, placed.inodeTables[group]! + tableBlocks])
  }
  ranges.sort(([a], [b]) => a - b)
  const merged: number[] = []
  for (const [start, end] of ranges) {
    if (merged.at(-1) === start) merged[merged.length - 1] = end
    else merged.push(start, end)
  }
  return Uint32Array.from(merged)
}
