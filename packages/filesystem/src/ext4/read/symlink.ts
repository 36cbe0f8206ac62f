import { decodeName } from '@c2m/rootfs'
import { INODE_BLOCK_SIZE } from '../inode.js'
import { blockRuns } from './block-map.js'
import { nameWithoutKey } from './encrypted-name.js'
import { damaged, type Place } from './faults.js'
import type { FileSystem } from './file-system.js'
import { inlineContent } from './inline-data.js'
import { hasInlineData, isEncrypted } from './inode-reader.js'
import { blockArea, Flag, type StoredInode } from './stored-inode.js'

/** PATH_MAX of Linux without the terminator. */
const MAX_TARGET = 4095
/** The length of the ciphertext before an encrypted target. */
const CIPHERTEXT_HEADER = 2

/**
 * Where a symlink points. Kernel documentation: filesystems/ext4, "Symbolic Links": short targets lie in i_block, others
 * in a block, or inline.
 * @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM
 */
export function readSymlink(inode: StoredInode, place: Place, fileSystem: FileSystem): string | Promise<string> {
  const { size } = inode
  if (size === 0 || size > Math.min(MAX_TARGET, fileSystem.volume.blockSize)) {
    throw damaged(place, `its target has ${size} bytes`)
  }
  if (hasInlineData(inode)) return decodeTarget(inlineContent(inode, place), inode, place)
  if (isFast(inode)) return decodeTarget(blockArea(inode).subarray(0, size), inode, place)
  return readSlow(inode, place, fileSystem)
}

/** Other than the kernel this does not look at i_blocks, which counts an attribute block, too. */
function isFast({ size, flags }: StoredInode): boolean {
  return size < INODE_BLOCK_SIZE && (flags & Flag.extents) === 0
}

async function readSlow(inode: StoredInode, place: Place, fileSystem: FileSystem): Promise<string> {
  const { volume, metadata } = fileSystem
  for await (const { logical, block } of blockRuns(inode, place, fileSystem)) {
    if (logical !== 0) break
    const bytes = await metadata.read(block * volume.blockSize, volume.blockSize)
    return decodeTarget(bytes.subarray(0, inode.size), inode, place)
  }
  throw damaged(place, 'its target is missing')
}

function decodeTarget(bytes: Buffer, inode: StoredInode, place: Place): string {
  if (bytes.length < inode.size) throw damaged(place, 'its target is cut off')
  if (isEncrypted(inode)) {
    const length = bytes.length < CIPHERTEXT_HEADER ? Infinity : bytes.readUInt16LE(0)
    if (CIPHERTEXT_HEADER + length > bytes.length) throw damaged(place, 'its encrypted target is cut off')
    return nameWithoutKey(bytes.subarray(CIPHERTEXT_HEADER, CIPHERTEXT_HEADER + length))
  }
  if (bytes.includes(0)) throw damaged(place, 'its target holds a NUL byte')
  return decodeName(bytes)
}
