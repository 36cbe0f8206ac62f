import { BLOCK_SIZE } from './constants.js'
import { halfMd4 } from './directory-hash.js'
import {
  DIRECTORY_TYPE,
  encodeEntry,
  entriesEnd,
  entrySize,
  setDirectoryTail,
  stretchEntry,
} from './directory-entry.js'
import { encodeIndexNode, encodeIndexRoot, indexLimit, type IndexEntry } from './htree.js'

/** How directories are laid out in one file system. */
export interface DirectoryRules {
  /** dir_index: directories of more than one block get a hash tree. */
  readonly indexed: boolean
  /** metadata_csum. */
  readonly checksummed: boolean
  readonly hashSeed: Uint32Array
}

export interface Directory {
  readonly inode: number
  readonly parent: number
  /** Entries as `packRecord` makes them, without '.' and '..'. */
  readonly records: Buffer
  /** What `measureDirectory` said. */
  readonly indexed: boolean
  /** The checksum seed of the inode; undefined without metadata_csum. */
  readonly seed: number | undefined
}

const RECORD_HEADER = 6
const DOTS = 2 * entrySize(2)
/** Leaves are filled to this part only, so that a new name does not split one at once. */
const LEAF_FILL = 0.8

/** A directory's entry while it is kept in memory: | inode u32 | file type u8 | name length u8 | name | */
export function packRecord(target: Buffer, at: number, inode: number, type: number, name: Uint8Array): number {
  target.writeUInt32LE(inode, at)
  target.writeUInt8(type, at + 4)
  target.writeUInt8(name.length, at + 5)
  target.set(name, at + RECORD_HEADER)
  return at + recordSize(name.length)
}

export function recordSize(nameLength: number): number {
  return RECORD_HEADER + nameLength
}

function nameAt(records: Buffer, at: number): Buffer {
  return records.subarray(at + RECORD_HEADER, nextRecord(records, at))
}

function nextRecord(records: Buffer, at: number): number {
  return at + RECORD_HEADER + records[at + 5]!
}

/** Blocks that a directory takes, and whether it is indexed. Undefined when even a tree of two levels is too small. */
export function measureDirectory(
  records: Buffer,
  rules: DirectoryRules,
): { blocks: number; indexed: boolean } | undefined {
  const end = entriesEnd(rules.checksummed)
  let blocks = 1
  let used = DOTS
  for (let at = 0; at < records.length; at = nextRecord(records, at)) {
    const size = entrySize(records[at + 5]!)
    if (used + size > end) {
      blocks++
      used = 0
    }
    used += size
  }
  if (blocks === 1 || !rules.indexed) return { blocks, indexed: false }
  const leaves = planLeaves(records, rules).starts.length
  const nodes = countNodes(leaves, rules)
  if (nodes > indexLimit('root', rules.checksummed)) return undefined
  return { blocks: 1 + nodes + leaves, indexed: true }
}

/** The blocks of a directory in order; each is good until the next one is asked for. */
export function* directoryBlocks(directory: Directory, rules: DirectoryRules): Generator<Buffer> {
  if (directory.indexed) yield* indexedBlocks(directory, rules)
  else yield* linearBlocks(directory, rules)
}

/** A block that holds no entries. */
export function emptyDirectoryBlock(rules: DirectoryRules, seed: number | undefined): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE)
  stretchEntry(block, 0, entriesEnd(rules.checksummed))
  if (seed !== undefined) setDirectoryTail(block, seed)
  return block
}

/** One block of entries being filled. */
class EntryBlock {
  readonly bytes = Buffer.alloc(BLOCK_SIZE)
  #used = 0
  #last = 0

  constructor(
    private readonly end: number,
    private readonly seed: number | undefined,
  ) {}

  fits(nameLength: number): boolean {
    return this.#used + entrySize(nameLength) <= this.end
  }

  add(inode: number, type: number, name: Uint8Array): void {
    const size = entrySize(name.length)
    encodeEntry(this.bytes, this.#used, { inode, size, type, name })
    this.#last = this.#used
    this.#used += size
  }

  finish(): Buffer {
    stretchEntry(this.bytes, this.#last, this.end)
    if (this.seed !== undefined) setDirectoryTail(this.bytes, this.seed)
    return this.bytes
  }

  clear(): void {
    this.bytes.fill(0)
    this.#used = 0
    this.#last = 0
  }
}

function* linearBlocks({ inode, parent, records, seed }: Directory, rules: DirectoryRules): Generator<Buffer> {
  const block = new EntryBlock(entriesEnd(rules.checksummed), seed)
  block.add(inode, DIRECTORY_TYPE, Buffer.from('.'))
  block.add(parent, DIRECTORY_TYPE, Buffer.from('..'))
  for (let at = 0; at < records.length; at = nextRecord(records, at)) {
    const name = nameAt(records, at)
    if (!block.fits(name.length)) {
      yield block.finish()
      block.clear()
    }
    block.add(records.readUInt32LE(at), records[at + 4]!, name)
  }
  yield block.finish()
}

interface LeafPlan {
  /** Offsets of the records, by hash. */
  readonly order: Float64Array
  /** For each leaf the position in `order` of its first record. */
  readonly starts: readonly number[]
  /** For each leaf its hash in the index. */
  readonly hashes: readonly number[]
}

function planLeaves(records: Buffer, rules: DirectoryRules): LeafPlan {
  const offsets: number[] = []
  for (let at = 0; at < records.length; at = nextRecord(records, at)) offsets.push(at)
  const hashes = Uint32Array.from(offsets, (at) => halfMd4(nameAt(records, at), rules.hashSeed, true))
  const positions = Uint32Array.from(hashes.keys()).sort((a, b) => hashes[a]! - hashes[b]! || a - b)
  const limit = Math.floor(entriesEnd(rules.checksummed) * LEAF_FILL)
  const starts: number[] = []
  const leafHashes: number[] = []
  let used = Infinity
  let before = -1
  positions.forEach((position, rank) => {
    const size = entrySize(records[offsets[position]! + 5]!)
    const hash = hashes[position]!
    if (used + size > limit) {
      starts.push(rank)
      leafHashes.push(hash === before ? hash + 1 : hash)
      used = 0
    }
    used += size
    before = hash
  })
  return { order: Float64Array.from(positions, (position) => offsets[position]!), starts, hashes: leafHashes }
}

function countNodes(leaves: number, rules: DirectoryRules): number {
  if (leaves <= indexLimit('root', rules.checksummed)) return 0
  return Math.ceil(leaves / indexLimit('node', rules.checksummed))
}

/** The root, the nodes, the leaves. */
function* indexedBlocks({ inode, parent, records, seed }: Directory, rules: DirectoryRules): Generator<Buffer> {
  const { order, starts, hashes } = planLeaves(records, rules)
  const nodes = countNodes(starts.length, rules)
  const leaves: IndexEntry[] = hashes.map((hash, leaf) => ({ hash, block: 1 + nodes + leaf }))
  const perNode = indexLimit('node', rules.checksummed)
  const groups = Array.from({ length: nodes }, (_, node) => leaves.slice(node * perNode, (node + 1) * perNode))
  const top = nodes === 0 ? leaves : groups.map((group, node) => ({ hash: group[0]!.hash, block: 1 + node }))
  const index = Buffer.alloc(BLOCK_SIZE)
  encodeIndexRoot(index, { inode, parent, levels: nodes === 0 ? 0 : 1, entries: top }, seed)
  yield index
  for (const group of groups) {
    encodeIndexNode(index, group, seed)
    yield index
  }
  const block = new EntryBlock(entriesEnd(rules.checksummed), seed)
  for (let leaf = 0; leaf < starts.length; leaf++) {
    block.clear()
    const end = starts[leaf + 1] ?? order.length
    for (let rank = starts[leaf]!; rank < end; rank++) {
      const at = order[rank]!
      block.add(records.readUInt32LE(at), records[at + 4]!, nameAt(records, at))
    }
    yield block.finish()
  }
}
