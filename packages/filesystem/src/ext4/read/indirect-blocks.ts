import type { BlockRun, MapContext, RunGuard } from './block-run.js'
import { blockArea, type StoredInode } from './stored-inode.js'

const POINTER = 4
const DIRECT = 12
const LEVELS = 3

/** Pointers to blocks of the file, from its block `first` on. */
interface Leaf {
  readonly pointers: Buffer
  readonly first: number
}

/** A block of pointers to blocks of pointers. */
interface Level extends Leaf {
  /** Blocks of the file that one pointer stands for. */
  readonly span: number
  at: number
}

/**
 * Walks the block map of ext2 and ext3: little-endian words, 0 is a hole. Kernel documentation: filesystems/ext4,
 * "Direct/Indirect Block Addressing".
 *
 *     i_block  | 12 blocks | block of pointers | block of those | block of blocks of those |
 */
export async function* indirectRuns(
  inode: StoredInode,
  end: number,
  guard: RunGuard,
  context: MapContext,
): AsyncGenerator<BlockRun> {
  let run = { logical: 0, block: 0, count: 0 }
  for await (const { pointers, first } of leaves(blockArea(inode), end, guard, context)) {
    const count = Math.min(pointers.length / POINTER, end - first)
    for (let index = 0; index < count; index++) {
      const block = pointers.readUInt32LE(index * POINTER)
      if (block === 0) continue
      guard.check(block, 1)
      if (run.logical + run.count === first + index && run.block + run.count === block) {
        run.count++
        continue
      }
      if (run.count > 0) yield run
      run = { logical: first + index, block, count: 1 }
    }
  }
  if (run.count > 0) yield run
}

async function* leaves(root: Buffer, end: number, guard: RunGuard, context: MapContext): AsyncGenerator<Leaf> {
  yield { pointers: root.subarray(0, DIRECT * POINTER), first: 0 }
  const perBlock = context.volume.blockSize / POINTER
  let first = DIRECT
  for (let level = 1; level <= LEVELS && first < end; level++) {
    const block = root.readUInt32LE((DIRECT + level - 1) * POINTER)
    if (block !== 0) yield* leavesBelow(block, perBlock ** (level - 1), first, end, guard, context)
    first += perBlock ** level
  }
}

/** @param span blocks of the file that each pointer in `block` stands for */
async function* leavesBelow(
  block: number,
  span: number,
  first: number,
  end: number,
  guard: RunGuard,
  context: MapContext,
): AsyncGenerator<Leaf> {
  const perBlock = context.volume.blockSize / POINTER
  const path: Level[] = [{ pointers: await readPointers(block, guard, context), span, first, at: 0 }]
  for (let level = path.at(-1); level !== undefined; level = path.at(-1)) {
    const logical = level.first + level.at * level.span
    if (level.span === 1) yield level
    if (level.span === 1 || level.at === perBlock || logical >= end) {
      path.pop()
      continue
    }
    const child = level.pointers.readUInt32LE(level.at * POINTER)
    level.at++
    if (child === 0) continue
    const pointers = await readPointers(child, guard, context)
    path.push({ pointers, span: level.span / perBlock, first: logical, at: 0 })
  }
}

async function readPointers(block: number, guard: RunGuard, { volume, metadata }: MapContext): Promise<Buffer> {
  guard.check(block, 1)
  return metadata.readAlone(block * volume.blockSize, volume.blockSize)
}
