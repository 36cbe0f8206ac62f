import type { RootfsEntry } from '@c2m/plugin-api'
import { comparePaths } from '../name/order.js'

/** The names of every file that has more than one, kept while names come and go. */
export class LinkGroups {
  readonly #names = new Map<number, Set<string>>()

  /** Takes an entry of a walk; only those with several names cost memory. */
  note(entry: RootfsEntry, path = entry.path): void {
    if (entry.type !== 'directory' && entry.nlink > 1) this.add(entry.inode, path)
  }

  add(inode: number, path: string): void {
    const names = this.#names.get(inode)
    if (names === undefined) this.#names.set(inode, new Set([path]))
    else names.add(path)
  }

  remove(inode: number, path: string): void {
    this.#names.get(inode)?.delete(path)
  }

  has(inode: number): boolean {
    return this.#names.has(inode)
  }

  /** How many names a file has; 1 when it never had more. */
  count(inode: number): number {
    return this.#names.get(inode)?.size ?? 1
  }

  /** The name that a walk meets first; undefined when none is left, `otherwise` when the file never had several. */
  first(inode: number, otherwise: string | undefined): string | undefined {
    const names = this.#names.get(inode)
    return names === undefined ? otherwise : [...names].sort(comparePaths)[0]
  }

  /** The entry with the number of names that are left. */
  counted(entry: RootfsEntry): RootfsEntry {
    if (entry.type === 'directory' || this.count(entry.inode) === entry.nlink) return entry
    return { ...entry, nlink: this.count(entry.inode) }
  }
}
