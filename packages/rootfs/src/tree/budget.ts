import { getHeapStatistics } from 'node:v8'
import { C2mError } from '@c2m/process'
import { nameLength } from '../name/bytes.js'

const HEAP = getHeapStatistics().heap_size_limit
/** What an entry takes in this process in all forms that are kept at once, generously. */
const BYTES_PER_ENTRY = 1024
/** Entries of one tree, of all layers together: about four million with Node's usual heap of 4 GiB. */
export const MAX_ENTRIES = Math.floor(HEAP / BYTES_PER_ENTRY)
/** Characters of all paths together: entries of a real tree have eighty each, hostile ones four thousand. */
const MAX_PATHS = Math.floor(HEAP / 4)
/** Bytes of extended attributes and maps of holes. */
const MAX_KEPT = Math.floor(HEAP / 8)
/** What a map entry with two small objects takes besides their content. */
const ATTRIBUTE_OVERHEAD = 128
/** Linux cannot list more bytes of names (XATTR_LIST_MAX, limits.h); each name counts its NUL. */
const MAX_ATTRIBUTE_NAMES = 64 * 1024

/**
 * What one tree may take of this process's memory, so that one that is made to take more ends in an error. With a larger
 * heap it may take more.
 */
export class TreeBudget {
  readonly #what: string
  #entries = 0
  #paths = 0
  #kept = 0

  /** @param what whose tree it is, for the error: 'the image x', '/dev/sda1' */
  constructor(what: string) {
    this.#what = what
  }

  /** @param pathLength characters of its path. @throws C2M_TREE_TOO_LARGE */
  addEntry(pathLength = 0): void {
    if (++this.#entries > MAX_ENTRIES) throw this.#tooLarge(`more than ${MAX_ENTRIES} entries`)
    this.#paths += pathLength
    if (this.#paths > MAX_PATHS) throw this.#tooLarge(`paths of more than ${MAX_PATHS} characters together`)
  }

  /** Memory besides an entry's own. @throws C2M_TREE_TOO_LARGE */
  keep(bytes: number): void {
    this.#kept += bytes
    if (this.#kept > MAX_KEPT) {
      throw this.#tooLarge(`more than ${MAX_KEPT} bytes of extended attributes and maps of holes`)
    }
  }

  /** @throws C2M_TREE_TOO_LARGE, C2M_ATTRIBUTE_NAMES */
  keepAttributes(xattrs: ReadonlyMap<string, Uint8Array>, path: string): void {
    if (xattrs.size === 0) return
    let names = 0
    for (const [name, value] of xattrs) {
      names += nameLength(name) + 1
      this.keep(name.length + value.length + ATTRIBUTE_OVERHEAD)
    }
    if (names <= MAX_ATTRIBUTE_NAMES) return
    throw new C2mError(
      'C2M_ATTRIBUTE_NAMES',
      `${JSON.stringify(path)} of ${this.#what} has extended attributes whose names take ${names} bytes, more than the ${MAX_ATTRIBUTE_NAMES} that Linux lists`,
      { hint: 'the image or disk is damaged or hostile; make it again without these attributes' },
    )
  }

  #tooLarge(has: string): C2mError {
    return new C2mError('C2M_TREE_TOO_LARGE', `the tree of ${this.#what} has ${has}`, {
      hint: 'when you trust it, give c2m more memory: NODE_OPTIONS=--max-old-space-size=MEGABYTES',
    })
  }
}
