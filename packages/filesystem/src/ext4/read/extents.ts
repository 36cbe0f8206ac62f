import { crc32c } from '../crc32c.js'
import {
  decodeExtent,
  decodeExtentHeader,
  decodeExtentIndex,
  EXTENT_ENTRY,
  EXTENT_HEADER,
  MAX_EXTENT_DEPTH,
  ROOT_EXTENTS,
} from '../extent.js'
import type { BlockRun, MapContext, RunGuard } from './block-run.js'
import { wrongChecksum } from './faults.js'
import { blockArea, seedOf, type StoredInode } from './stored-inode.js'

/** A node and the logical blocks that its entries must lie in. */
interface Node {
  readonly bytes: Buffer
  readonly entries: number
  readonly depth: number
  readonly from: number
  readonly to: number
}

const MAX_LOGICAL = 2 ** 32

/** The runs of a tree that is all in the inode, as most are; undefined when there are nodes below. */
export function rootRuns(inode: StoredInode, end: number, guard: RunGuard): BlockRun[] | undefined {
  const root = readNode(blockArea(inode), ROOT_EXTENTS, undefined, 0, MAX_LOGICAL, guard)
  return root.depth > 0 ? undefined : [...leafRuns(root, end, guard)]
}

/**
 * Walks a tree of extents of any depth (kernel documentation: filesystems/ext4, "Extent Tree"; layout in ../extent.ts).
 * Entries rise, and those of a node lie between its own index entry and the next one: so no node is met twice.
 */
export async function* extentRuns(
  inode: StoredInode,
  end: number,
  guard: RunGuard,
  context: MapContext,
): AsyncGenerator<BlockRun> {
  const { blockSize, seed } = context.volume
  const room = Math.floor((blockSize - EXTENT_HEADER) / EXTENT_ENTRY)
  const inodeSeed = seed === undefined ? undefined : seedOf(inode, seed)
  const root = readNode(blockArea(inode), ROOT_EXTENTS, undefined, 0, MAX_LOGICAL, guard)
  const path: { readonly node: Node; at: number }[] = [{ node: root, at: 0 }]
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { node, at } = top
    if (node.depth === 0) {
      yield* leafRuns(node, end, guard)
      path.pop()
      continue
    }
    if (at === node.entries) {
      path.pop()
      continue
    }
    top.at++
    const { logical, child } = decodeExtentIndex(node.bytes, at)
    const next = at + 1 < node.entries ? decodeExtentIndex(node.bytes, at + 1).logical : node.to
    if (logical < node.from || next <= logical || next > node.to) {
      throw guard.fault('the entries of its extent tree are out of order')
    }
    if (logical >= end) return
    guard.check(child, 1)
    const bytes = await context.metadata.readAlone(child * blockSize, blockSize)
    if (inodeSeed !== undefined) checkSum(bytes, inodeSeed, guard)
    path.push({ node: readNode(bytes, room, node.depth - 1, logical, next, guard), at: 0 })
  }
}

function readNode(
  bytes: Buffer,
  room: number,
  depth: number | undefined,
  from: number,
  to: number,
  guard: RunGuard,
): Node {
  const header = decodeExtentHeader(bytes)
  if (header === undefined) throw guard.fault('a node of its extent tree has no magic number')
  if (header.entries > header.max || header.max > room) {
    throw guard.fault(`a node of its extent tree tells ${header.entries} of ${header.max} entries`)
  }
  if (header.depth > MAX_EXTENT_DEPTH || (depth !== undefined && header.depth !== depth)) {
    throw guard.fault(`a node of its extent tree tells a depth of ${header.depth}`)
  }
  return { bytes, entries: header.entries, depth: header.depth, from, to }
}

function* leafRuns(node: Node, end: number, guard: RunGuard): Generator<BlockRun> {
  let from = node.from
  for (let slot = 0; slot < node.entries; slot++) {
    const { logical, block, count, unwritten } = decodeExtent(node.bytes, slot)
    if (count === 0 || logical < from || logical + count > node.to) {
      throw guard.fault('the extents of its tree overlap or are out of order')
    }
    from = logical + count
    guard.check(block, count)
    // what lies behind the end (preallocated, a Merkle tree) is not content
    if (!unwritten && logical < end) yield { logical, block, count: Math.min(count, end - logical) }
  }
}

/** The checksum stands behind the last possible entry. */
function checkSum(bytes: Buffer, seed: number, guard: RunGuard): void {
  const at = EXTENT_HEADER + bytes.readUInt16LE(4) * EXTENT_ENTRY
  if (at + 4 <= bytes.length && bytes.readUInt32LE(at) === crc32c(seed, bytes, 0, at)) return
  throw wrongChecksum(guard.place, 'a node of its extent tree')
}
