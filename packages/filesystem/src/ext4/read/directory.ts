import { compareNames, decodeName, TreeBudget } from '@c2m/rootfs'
import { throwIfAborted } from '@c2m/process'
import { blockRuns } from './block-map.js'
import type { BlockLedger } from './block-run.js'
import { hasRightTail, parseEntries } from './directory-block.js'
import { damaged, wrongChecksum, type Place } from './faults.js'
import type { FileSystem } from './file-system.js'
import { inlineData } from './inline-data.js'
import { hasInlineData, isEncrypted } from './inode-reader.js'
import { nameWithoutKey } from './encrypted-name.js'
import { Flag, seedOf, type StoredInode } from './stored-inode.js'

export interface DirectoryEntry {
  readonly name: string
  readonly inode: number
}

/** Bytes of the parent's inode number before the entries of an inline directory. */
const INLINE_PARENT = 4
const SURROGATE = /[\ud800-\udfff]/

/**
 * The names in a directory by their raw bytes, without '.' and '..': linear ones, indexed ones (read linearly, too) and
 * inline ones. In an encrypted directory names are as the kernel shows them without the key.
 * @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM, C2M_TREE_TOO_LARGE
 */
export async function readDirectory(
  inode: StoredInode,
  place: Place,
  fileSystem: FileSystem,
  ledger?: BlockLedger,
): Promise<DirectoryEntry[]> {
  const collector = new Collector(place, isEncrypted(inode), fileSystem.volume.blockSize)
  if (hasInlineData(inode)) {
    const { head, tail } = inlineData(inode, place)
    collector.takeArea(head.subarray(INLINE_PARENT))
    if (inode.size > head.length + tail.length) throw damaged(place, `its size is ${inode.size} bytes`)
    collector.takeArea(tail.subarray(0, Math.max(inode.size - head.length, 0)))
  } else await takeBlocks(inode, place, fileSystem, collector, ledger)
  return collector.finish()
}

async function takeBlocks(
  inode: StoredInode,
  place: Place,
  fileSystem: FileSystem,
  collector: Collector,
  ledger: BlockLedger | undefined,
): Promise<void> {
  const { volume, metadata, signal } = fileSystem
  const { blockSize } = volume
  const isIndexed = (inode.flags & Flag.index) !== 0 && volume.features.has('dir_index')
  const seed = volume.seed === undefined ? undefined : seedOf(inode, volume.seed)
  if (inode.size === 0 || inode.size % blockSize !== 0) throw damaged(place, `its size is ${inode.size} bytes`)
  let expected = 0
  for await (const { logical, block, count } of blockRuns(inode, place, fileSystem, ledger)) {
    if (logical !== expected) break
    throwIfAborted(signal)
    for (let index = 0; index < count; index++) {
      const offset = (block + index) * blockSize
      const bytes = metadata.peek(offset, blockSize) ?? (await metadata.read(offset, blockSize))
      if (seed !== undefined && !hasRightTail(bytes, isIndexed && logical + index === 0, isIndexed, seed)) {
        throw wrongChecksum(place, `block ${logical + index} of the directory`)
      }
      collector.takeArea(bytes)
    }
    expected += count
  }
  if (expected * blockSize !== inode.size) throw damaged(place, 'the directory has a hole')
}

class Collector {
  readonly #place: Place
  readonly #isEncrypted: boolean
  readonly #blockSize: number
  readonly #entries: DirectoryEntry[] = []
  readonly #budget = new TreeBudget('the ext4 file system')
  #needsByteOrder = false

  constructor(place: Place, encrypted: boolean, blockSize: number) {
    this.#place = place
    this.#isEncrypted = encrypted
    this.#blockSize = blockSize
  }

  /** A block, or a part of an inode that holds entries. */
  takeArea(area: Buffer): void {
    const raw = parseEntries(area, this.#blockSize)
    if (raw === undefined) throw damaged(this.#place, 'the entries of the directory lie outside of their place')
    for (const { inode, name } of raw) {
      if (isDots(name)) continue
      const text = this.#isEncrypted ? nameWithoutKey(name) : decodeName(name)
      if (text.includes('/') || text.includes('\0')) {
        throw damaged(this.#place, `the directory holds the impossible name ${JSON.stringify(text)}`)
      }
      this.#budget.addEntry(text.length)
      this.#needsByteOrder ||= SURROGATE.test(text)
      this.#entries.push({ name: text, inode })
    }
  }

  finish(): DirectoryEntry[] {
    // without surrogates UTF-16 and UTF-8 order alike
    const compare = this.#needsByteOrder
      ? (a: DirectoryEntry, b: DirectoryEntry): number => compareNames(a.name, b.name)
      : (a: DirectoryEntry, b: DirectoryEntry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    const entries = this.#entries.sort(compare)
    for (let index = 1; index < entries.length; index++) {
      if (entries[index]!.name !== entries[index - 1]!.name) continue
      throw damaged(this.#place, `the directory holds the name ${JSON.stringify(entries[index]!.name)} twice`)
    }
    return entries
  }
}

const DOT = 0x2e

function isDots(name: Buffer): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))
}
