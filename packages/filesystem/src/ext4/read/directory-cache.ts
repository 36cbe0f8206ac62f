import { compareNames, MAX_ENTRIES } from '@c2m/rootfs'
import { readDirectory, type DirectoryEntry } from './directory.js'
import type { FileSystem } from './file-system.js'
import type { StoredInode } from './stored-inode.js'

/** Names of directories that are kept for the next look; besides them, one directory that has more. */
const MAX_KEPT = Math.floor(MAX_ENTRIES / 8)

interface Directory {
  readonly inode: number
  readonly entries: readonly DirectoryEntry[]
}

/** What directories hold, those that were asked for last. */
export class DirectoryCache {
  readonly #fileSystem: FileSystem
  /** By inode, the one used longest ago first. */
  readonly #directories = new Map<number, Directory>()
  #kept = 0
  #large: Directory | undefined

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem
  }

  /** The inode that a name of a directory stands for. @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM */
  async find(directory: StoredInode, path: string, name: string): Promise<number | undefined> {
    return search(await this.#read(directory, path), name)
  }

  /** The names in a directory, in order. */
  async names(inode: StoredInode, path: string): Promise<string[]> {
    return (await this.#read(inode, path)).map(({ name }) => name)
  }

  async #read(inode: StoredInode, path: string): Promise<readonly DirectoryEntry[]> {
    if (this.#large?.inode === inode.number) return this.#large.entries
    const known = this.#directories.get(inode.number)
    if (known !== undefined) {
      this.#directories.delete(inode.number)
      this.#directories.set(inode.number, known)
      return known.entries
    }
    const entries = await readDirectory(inode, { inode: inode.number, path }, this.#fileSystem)
    this.#keep({ inode: inode.number, entries })
    return entries
  }

  #keep(directory: Directory): void {
    if (directory.entries.length > MAX_KEPT) {
      this.#large = directory
      return
    }
    this.#directories.set(directory.inode, directory)
    this.#kept += cost(directory)
    for (const oldest of this.#directories.values()) {
      if (this.#kept <= MAX_KEPT) return
      this.#directories.delete(oldest.inode)
      this.#kept -= cost(oldest)
    }
  }
}

function cost({ entries }: Directory): number {
  return entries.length + 1
}

/** The inode that a name stands for. */
function search(entries: readonly DirectoryEntry[], name: string): number | undefined {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareNames(entries[middle]!.name, name) < 0) low = middle + 1
    else high = middle
  }
  return entries[low]?.name === name ? entries[low]!.inode : undefined
}
