import type { BlockAllocator } from './block-allocator.js'
import type { BlockWriter } from './block-writer.js'
import { BLOCK_SIZE } from './constants.js'
import {
  encodeExtent,
  encodeExtentHeader,
  encodeExtentIndex,
  MAX_EXTENT_BLOCKS,
  NODE_EXTENTS,
  ROOT_EXTENTS,
  setExtentChecksum,
  type ExtentIndex,
  type FileExtent,
} from './extent.js'
import { inodeBlock } from './inode.js'
import { NumberList } from './number-list.js'

/** The extents of one file, in order; neighbours are joined. */
export class ExtentList {
  readonly #numbers = new NumberList()
  #blocks = 0

  get length(): number {
    return this.#numbers.length / 3
  }

  /** Blocks in all extents. */
  get blocks(): number {
    return this.#blocks
  }

  clear(): void {
    this.#numbers.clear()
    this.#blocks = 0
  }

  add(logical: number, block: number, count: number): void {
    this.#blocks += count
    let done = this.#extendLast(logical, block, count)
    while (done < count) {
      const part = Math.min(count - done, MAX_EXTENT_BLOCKS)
      this.#numbers.push(logical + done)
      this.#numbers.push(block + done)
      this.#numbers.push(part)
      done += part
    }
  }

  at(index: number): FileExtent {
    const at = 3 * index
    return { logical: this.#numbers.at(at), block: this.#numbers.at(at + 1), count: this.#numbers.at(at + 2) }
  }

  #extendLast(logical: number, block: number, count: number): number {
    if (this.length === 0) return 0
    const last = this.at(this.length - 1)
    if (last.logical + last.count !== logical || last.block + last.count !== block) return 0
    const part = Math.min(count, MAX_EXTENT_BLOCKS - last.count)
    this.#numbers.set(this.#numbers.length - 1, last.count + part)
    return part
  }
}

/** An extent tree without extents. */
export function clearExtentTree(inode: Buffer): void {
  encodeExtentHeader(inodeBlock(inode), { entries: 0, max: ROOT_EXTENTS, depth: 0 })
}

/** Blocks of a tree for so many extents, beside the root in the inode. */
export function extentTreeBlocks(extents: number): number {
  let blocks = 0
  for (let entries = extents; entries > ROOT_EXTENTS; blocks += entries) entries = Math.ceil(entries / NODE_EXTENTS)
  return blocks
}

/**
 * Writes the tree from its leaves up, the root into `inode`.
 * @param seed of the inode, for checksums; undefined without metadata_csum
 * @returns the blocks it took beside the root
 */
export async function writeExtentTree(
  inode: Buffer,
  extents: ExtentList,
  seed: number | undefined,
  allocator: BlockAllocator,
  writer: BlockWriter,
): Promise<number> {
  const root = inodeBlock(inode)
  root.fill(0)
  if (extents.length <= ROOT_EXTENTS) {
    encodeExtentHeader(root, { entries: extents.length, max: ROOT_EXTENTS, depth: 0 })
    for (let index = 0; index < extents.length; index++) encodeExtent(root, index, extents.at(index))
    return 0
  }
  const node = Buffer.alloc(BLOCK_SIZE)
  let taken = 0
  const writeLevel = async (
    count: number,
    depth: number,
    encode: (slot: number, index: number) => number,
  ): Promise<ExtentIndex[]> => {
    const parents: ExtentIndex[] = []
    for (let first = 0; first < count; first += NODE_EXTENTS) {
      const entries = Math.min(NODE_EXTENTS, count - first)
      node.fill(0)
      encodeExtentHeader(node, { entries, max: NODE_EXTENTS, depth })
      const logical = encode(0, first)
      for (let slot = 1; slot < entries; slot++) encode(slot, first + slot)
      if (seed !== undefined) setExtentChecksum(node, seed)
      const { block } = allocator.take(1)
      taken++
      await writer.putBlock(block, node)
      parents.push({ logical, child: block })
    }
    return parents
  }
  let depth = 0
  let level = await writeLevel(extents.length, depth, (slot, index) => {
    const extent = extents.at(index)
    encodeExtent(node, slot, extent)
    return extent.logical
  })
  while (level.length > ROOT_EXTENTS) {
    depth++
    const below = level
    level = await writeLevel(below.length, depth, (slot, index) => {
      encodeExtentIndex(node, slot, below[index]!)
      return below[index]!.logical
    })
  }
  encodeExtentHeader(root, { entries: level.length, max: ROOT_EXTENTS, depth: depth + 1 })
  level.forEach((entry, index) => encodeExtentIndex(root, index, entry))
  return taken
}
