import { ROOT_INODE } from '../constants.js'
import { readDirectory, type DirectoryEntry } from './directory.js'
import type { FileSystem } from './file-system.js'
import type { StoredInode } from './stored-inode.js'

/** Names of directories that are kept for the next look. */
const MAX_KEPT = 50_000

/** Finds inodes by paths that are free of links. */
export class Lookup {
  readonly #fileSystem: FileSystem
  /** By inode, the one used longest ago first. */
  readonly #directories = new Map<number, readonly DirectoryEntry[]>()
  #kept = 0

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
    const known = this.#directories.get(inode.number)
    const entries = known ?? (await readDirectory(inode, { inode: inode.number, path }, this.#fileSystem))
    if (known === undefined) this.#kept += entries.length + 1
    this.#directories.delete(inode.number)
    this.#directories.set(inode.number, entries)
    for (const [oldest, { length }] of this.#directories) {
      if (this.#kept <= MAX_KEPT || oldest === inode.number) break
      this.#directories.delete(oldest)
      this.#kept -= length + 1
    }
    return entries
  }
}

function search(entries: readonly DirectoryEntry[], name: string): number | undefined {
  return entries.find((entry) => entry.name === name)?.inode
}
