import { compareNames } from '@c2m/rootfs'
import { ROOT_INODE } from '../constants.js'
import { readDirectory, type DirectoryEntry } from './directory.js'
import type { FileSystem } from './file-system.js'
import type { StoredInode } from './stored-inode.js'

/** Names of directories that are kept for the next look; besides them, one directory that has more. */
const MAX_KEPT = 50_000

interface Directory {
  readonly inode: number
  readonly entries: readonly DirectoryEntry[]
}

/** Finds inodes by paths that are free of links. */
export class Lookup {
  readonly #fileSystem: FileSystem
  /** By inode, the one used longest ago first. */
  readonly #directories = new Map<number, Directory>()
  #kept = 0
  #large: Directory | undefined

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem
  }

  /** Undefined when there is no such name. @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM */
  async find(path: string): Promise<StoredInode | undefined> {
    const { inodes } = this.#fileSystem
    let inode = await inodes.read({ inode: ROOT_INODE, path: '' })
    let here = ''
    for (const name of path === '' ? [] : path.split('/')) {
      if (inode.type !== 'directory') return undefined
      const number = search(await this.#read(inode, here), name)
      if (number === undefined) return undefined
      here = here === '' ? name : `${here}/${name}`
      inode = await inodes.read({ inode: number, path: here })
    }
    return inode
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
