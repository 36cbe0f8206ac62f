import { DIRECTORY_TYPE } from './directory-entry.js'
import { treeError } from './errors.js'
import { packRecord, recordSize } from './directory-blocks.js'

const FIRST_SIZE = 1024

/** A directory whose children are still coming. */
export class DirectoryFrame {
  readonly path: string
  readonly inode: number
  readonly parent: number
  #subdirectories = 0
  #records = Buffer.allocUnsafe(FIRST_SIZE)
  #length = 0
  #lastName: Uint8Array | undefined

  constructor(path: string, inode: number, parent: number) {
    this.path = path
    this.inode = inode
    this.parent = parent
  }

  get subdirectories(): number {
    return this.#subdirectories
  }

  /** Entries as `packRecord` makes them. */
  get records(): Buffer {
    return this.#records.subarray(0, this.#length)
  }

  /** @throws C2M_EXT4_TREE unless names come in rising order, so that none comes twice */
  checkOrder(path: string, name: Uint8Array): void {
    if (this.#lastName !== undefined && Buffer.compare(this.#lastName, name) >= 0) {
      throw treeError(path, 'comes twice or out of order')
    }
    this.#lastName = name
  }

  add(inode: number, type: number, name: Uint8Array): void {
    const needed = this.#length + recordSize(name.length)
    if (needed > this.#records.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#records.length))
      this.#records.copy(grown, 0, 0, this.#length)
      this.#records = grown
    }
    this.#length = packRecord(this.#records, this.#length, inode, type, name)
    if (type === DIRECTORY_TYPE) this.#subdirectories++
  }
}
