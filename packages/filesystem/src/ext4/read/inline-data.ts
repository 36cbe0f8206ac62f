import { damaged, type Place } from './faults.js'
import { blockArea, type StoredInode } from './stored-inode.js'
import { inodeXattrs } from './xattr-entries.js'

/** The index of "system." and the name: where the bytes that i_block has no room for are kept. */
const SYSTEM_INDEX = 7
const DATA = Buffer.from('data')

/**
 * The content of a small file or directory that lies in its inode: first in i_block, then in the attribute system.data.
 * Kernel documentation: filesystems/ext4, "Inline Data".
 * @throws C2M_EXT4_DAMAGED
 */
export function inlineData(inode: StoredInode, place: Place): { readonly head: Buffer; readonly tail: Buffer } {
  const attribute = inodeXattrs(inode, place).find(({ index, name }) => index === SYSTEM_INDEX && name.equals(DATA))
  if (attribute?.value === undefined) {
    throw damaged(place, 'its content should be in the inode, but the attribute system.data is missing')
  }
  return { head: Buffer.from(blockArea(inode)), tail: Buffer.from(attribute.value) }
}

/** A file's inline content as one piece; a larger size means a hole behind it, as mke2fs leaves it. */
export function inlineContent(inode: StoredInode, place: Place): Buffer {
  const { head, tail } = inlineData(inode, place)
  return Buffer.concat([head, tail]).subarray(0, inode.size)
}
