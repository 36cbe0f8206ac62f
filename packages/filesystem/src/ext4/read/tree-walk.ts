import { cleanPath, TreeBudget } from '@c2m/rootfs'
import { throwIfAborted, turnEventLoop } from '@c2m/process'
import { blockRuns } from './block-map.js'
import { BlockLedger } from './block-run.js'
import { readDirectory, type DirectoryEntry } from './directory.js'
import { damaged, type Place } from './faults.js'
import type { FileSystem } from './file-system.js'
import { InodeSet } from './inode-set.js'
import { hasInlineData, isEncrypted } from './inode-reader.js'
import type { StoredInode } from './stored-inode.js'

/** A name of the tree and what it names. */
export interface Visit {
  readonly path: string
  readonly inode: StoredInode
}

/** Children whose inodes, and directories whose blocks, are brought near at once. */
const PREFETCH = 256
/** In UTF-16 units: paths that cannot exceed PATH_MAX, whatever they are made of. */
const SURELY_SHORT = 4096 / 3

interface Frame {
  readonly path: string
  readonly entries: readonly DirectoryEntry[]
  next: number
}

/**
 * Depth first, a directory before its children, siblings by raw name bytes. Damage that would let one thing appear
 * several times is an error: a directory with two names, a file with more names than it counts.
 * @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM, C2M_PATH_INVALID, C2M_TREE_TOO_LARGE, C2M_INTERRUPTED
 */
export async function* walkTree(start: Visit, fileSystem: FileSystem): AsyncGenerator<Visit> {
  const seen = new Names()
  const ledger = new BlockLedger(fileSystem.volume)
  const budget = new TreeBudget('the ext4 file system')
  seen.note(start)
  yield start
  const stack: Frame[] = await enter(start, fileSystem, ledger, budget)
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const { entries, next } = frame
    if (next === entries.length) {
      stack.pop()
      continue
    }
    if (next % PREFETCH === 0) await prefetch(entries.slice(next, next + PREFETCH), fileSystem)
    frame.next++
    const { name, inode: number } = entries[next]!
    const place = { inode: number, path: frame.path === '' ? name : `${frame.path}/${name}` }
    const inode = fileSystem.inodes.peek(place) ?? (await fileSystem.inodes.read(place))
    const visit = { path: place.path, inode }
    seen.note(visit)
    const turn = turnEventLoop(fileSystem.signal)
    if (turn !== undefined) await turn
    yield visit
    if (inode.type === 'directory') stack.push(...(await enter(visit, fileSystem, ledger, budget)))
  }
}

async function enter(
  { path, inode }: Visit,
  fileSystem: FileSystem,
  ledger: BlockLedger,
  budget: TreeBudget,
): Promise<Frame[]> {
  if (inode.type !== 'directory') return []
  throwIfAborted(fileSystem.signal)
  if (path.length > SURELY_SHORT) cleanPath(path)
  const entries = await readDirectory(inode, { inode: inode.number, path }, fileSystem, ledger)
  for (const { name } of entries) budget.addEntry(path.length + 1 + name.length)
  return [{ path, entries, next: 0 }]
}

/** The inodes of children, then the first blocks of those that are directories. */
async function prefetch(entries: readonly DirectoryEntry[], fileSystem: FileSystem): Promise<void> {
  await fileSystem.inodes.prefetch(entries.map(({ inode }) => inode))
  const offsets: number[] = []
  for (const { inode } of entries) {
    const offset = directoryOffset({ inode, path: undefined }, fileSystem)
    if (offset !== undefined) offsets.push(offset)
  }
  await fileSystem.metadata.prefetch(offsets)
}

/** Where a directory begins, if that can be told without reading; what is wrong is said when it is read. */
function directoryOffset(place: Place, fileSystem: FileSystem): number | undefined {
  try {
    const inode = fileSystem.inodes.peek(place)
    if (inode?.type !== 'directory' || hasInlineData(inode) || isEncrypted(inode)) return undefined
    const runs = blockRuns(inode, place, fileSystem)
    const first = Array.isArray(runs) ? (runs as { block: number }[])[0] : undefined
    return first === undefined ? undefined : first.block * fileSystem.volume.blockSize
  } catch {
    return undefined
  }
}

/** Counts the names of inodes. */
class Names {
  /** Directories and files with one name. */
  readonly #single = new InodeSet()
  /** Names that may still come. */
  readonly #several = new Map<number, number>()

  note({ path, inode }: Visit): void {
    const { number, type, links } = inode
    const place = { inode: number, path }
    if (type === 'directory' || links === 1) {
      if (this.#single.add(number)) return
      throw damaged(place, type === 'directory' ? 'the directory has two names' : 'it has more names than it counts')
    }
    const left = (this.#several.get(number) ?? links) - 1
    if (left < 0) throw damaged(place, `it has more names than the ${links} that it counts`)
    this.#several.set(number, left)
  }
}
