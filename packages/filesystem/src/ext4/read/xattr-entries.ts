import { XATTR_MAGIC } from '../xattr.js'
import { damaged, type Place } from './faults.js'
import { OLD_SIZE, type StoredInode } from './stored-inode.js'

/** An attribute as it is stored; the layout is drawn in ../xattr.ts. */
export interface XattrEntry {
  readonly index: number
  /** Without the prefix that `index` stands for; a view. */
  readonly name: Buffer
  /** A view; undefined when it is in an inode of its own. */
  readonly value: Buffer | undefined
  /** The inode that holds the value, with the feature ea_inode; 0: none. */
  readonly valueInode: number
  /** Bytes. */
  readonly size: number
  /** e_hash */
  readonly hash: number
}

const ENTRY_HEADER = 16
const MAGIC_SIZE = 4
const BLOCK_HEADER = 32

/** Attributes in the inode, behind its fields. @throws C2M_EXT4_DAMAGED */
export function inodeXattrs(inode: StoredInode, place: Place): XattrEntry[] {
  const start = OLD_SIZE + inode.extraSize
  if (inode.extraSize === 0 || start + MAGIC_SIZE > inode.raw.length) return []
  if (inode.raw.readUInt32LE(start) !== XATTR_MAGIC) return []
  return parseXattrs(inode.raw.subarray(start + MAGIC_SIZE), 0, place)
}

/** Attributes in a block of their own. @throws C2M_EXT4_DAMAGED */
export function blockXattrs(block: Buffer, place: Place): XattrEntry[] {
  if (block.readUInt32LE(0) !== XATTR_MAGIC || block.readUInt32LE(8) !== 1) {
    throw damaged(place, 'the block of its extended attributes is none')
  }
  return parseXattrs(block, BLOCK_HEADER, place)
}

/** @param area what value offsets count from; entries begin at `start` */
function parseXattrs(area: Buffer, start: number, place: Place): XattrEntry[] {
  const fault = (): Error => damaged(place, 'its extended attributes lie outside of their place')
  const entries: XattrEntry[] = []
  let at = start
  for (;;) {
    if (at + 4 > area.length) throw fault()
    if (area.readUInt32LE(at) === 0) break
    if (at + ENTRY_HEADER > area.length) throw fault()
    const nameEnd = at + ENTRY_HEADER + area[at]!
    if (nameEnd > area.length) throw fault()
    const size = area.readUInt32LE(at + 8)
    const offset = area.readUInt16LE(at + 2)
    const valueInode = area.readUInt32LE(at + 4)
    if (valueInode === 0 && offset + size > area.length) throw fault()
    entries.push({
      index: area[at + 1]!,
      name: area.subarray(at + ENTRY_HEADER, nameEnd),
      value: valueInode === 0 ? area.subarray(offset, offset + size) : undefined,
      valueInode,
      size,
      hash: area.readUInt32LE(at + 12),
    })
    at = (nameEnd + 3) & ~3
  }
  // values stand behind the entries
  for (const { value } of entries) {
    if (value !== undefined && value.length > 0 && value.byteOffset - area.byteOffset < at) throw fault()
  }
  return entries
}
