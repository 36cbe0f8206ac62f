import { encodeName } from '@c2m/rootfs'
import { createHash } from 'node:crypto'
import type { RootfsEntry } from '@c2m/plugin-api'
import { encodeAcl } from './acl.js'
import { ByteArena } from './byte-arena.js'
import { unstorable } from './errors.js'
import {
  encodeInodeXattrs,
  encodeXattrBlock,
  divideXattrs,
  MAX_XATTR_REFERENCES,
  NAME_INDEXES,
  type StoredXattr,
} from './xattr.js'
import { NumberList } from './number-list.js'
import { BLOCK_SIZE } from './constants.js'

const MAX_XATTR_NAME = 255

/** What could not be written and was left out. */
export interface Ext4Loss {
  readonly path: string
  /** One sentence. */
  readonly what: string
}

/** The attributes of an entry as ext4 stores them; what it has no place for is told to `lose`. */
export function storedXattrs(entry: RootfsEntry, lose: (loss: Ext4Loss) => void): StoredXattr[] {
  const stored: StoredXattr[] = []
  for (const [name, value] of entry.xattrs) {
    const space = NAME_INDEXES.find(([prefix, , whole]) => (whole ? name === prefix : name.startsWith(prefix)))
    const suffix = space === undefined ? undefined : encodeName(name.slice(space[0].length))
    if (space === undefined || suffix === undefined || (suffix.length === 0 && !space[2])) {
      lose({
        path: entry.path,
        what: `the extended attribute ${JSON.stringify(name)} has no namespace that ext4 knows`,
      })
      continue
    }
    if (suffix.length > MAX_XATTR_NAME || suffix.includes(0)) {
      throw unstorable(entry.path, `the name of an extended attribute is too long or holds NUL`, 'remove the attribute')
    }
    const bytes = space[2] ? encodeAcl(value) : value
    if (bytes === undefined) {
      lose({ path: entry.path, what: `the value of ${name} is not an access control list` })
      continue
    }
    stored.push({ index: space[1], name: suffix, value: bytes })
  }
  return stored
}

/** Blocks of attributes, equal ones once; kept without the gap between entries and values. */
export class XattrBlocks {
  readonly #arena = new ByteArena()
  readonly #handles = new NumberList()
  /** Bytes of the entries and of the values. */
  readonly #heads = new NumberList()
  readonly #tails = new NumberList()
  readonly #references = new NumberList()
  /** By the content's digest, the block that can still be shared. */
  readonly #byContent = new Map<string, number>()

  get length(): number {
    return this.#handles.length
  }

  /** Finds or makes a block; returns its index here. */
  add(xattrs: readonly StoredXattr[]): number {
    const { block, head, tail } = encodeXattrBlock(xattrs)
    const content = Buffer.concat([block.subarray(0, head), block.subarray(block.length - tail)])
    const key = createHash('sha256').update(content).digest('base64')
    const known = this.#byContent.get(key)
    if (known !== undefined && this.#references.at(known) < MAX_XATTR_REFERENCES) {
      this.#references.set(known, this.#references.at(known) + 1)
      return known
    }
    const index = this.#handles.length
    this.#handles.push(this.#arena.add(content))
    this.#heads.push(head)
    this.#tails.push(tail)
    this.#references.push(1)
    this.#byContent.set(key, index)
    return index
  }

  /** A fresh copy of a block, and how many inodes share it. */
  at(index: number): { readonly block: Buffer; readonly references: number } {
    const head = this.#heads.at(index)
    const tail = this.#tails.at(index)
    const content = this.#arena.get(this.#handles.at(index), head + tail)
    const block = Buffer.alloc(BLOCK_SIZE)
    content.copy(block, 0, 0, head)
    content.copy(block, BLOCK_SIZE - tail, head)
    return { block, references: this.#references.at(index) }
  }
}

/**
 * Puts an entry's attributes into its inode, and what does not fit there into a block.
 * @returns the block's index, if there is one
 * @throws C2M_EXT4_UNSTORABLE when they are too large
 */
export function placeXattrs(
  path: string,
  inode: Buffer,
  xattrs: readonly StoredXattr[],
  blocks: XattrBlocks,
): number | undefined {
  const divided = divideXattrs(xattrs)
  if (divided === undefined) {
    throw unstorable(path, 'its extended attributes are larger than one block of 4096 bytes', 'remove some of them')
  }
  encodeInodeXattrs(inode, divided.inode)
  return divided.block.length === 0 ? undefined : blocks.add(divided.block)
}
