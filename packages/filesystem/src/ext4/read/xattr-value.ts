import { blockRuns } from './block-map.js'
import { damaged, wrongChecksum, type Place } from './faults.js'
import type { FileSystem } from './file-system.js'
import { hasInlineData } from './inode-reader.js'
import { Flag, valueHash, type StoredInode } from './stored-inode.js'

/**
 * The value of an attribute that has an inode of its own (feature ea_inode). Kernel documentation: filesystems/ext4,
 * "Extended Attributes": i_atime holds the value's crc32c, for which the names of the files that share it do not matter.
 * Lustre's older form has no hash; its inodes point back to their one owner by i_mtime and i_generation.
 * @returns the value, and its hash unless it is Lustre's
 * @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM
 */
export async function readXattrValue(
  number: number,
  size: number,
  owner: StoredInode,
  place: Place,
  fileSystem: FileSystem,
): Promise<{ readonly value: Buffer; readonly hash: number | undefined }> {
  const { volume, metadata, inodes } = fileSystem
  const { number: ownNumber, generation } = owner
  const inode = await inodes.read({ inode: number, path: place.path })
  const fault = (why: string): Error => damaged(place, `the inode ${number} of its extended attribute ${why}`)
  if ((inode.flags & Flag.xattrValue) === 0 || hasInlineData(inode)) throw fault('is none')
  if (inode.size !== size) throw fault(`has ${inode.size} bytes instead of ${size}`)
  const isLustre = inode.raw.readUInt32LE(0x10) === ownNumber && inode.generation === generation
  const stored = inode.raw.readUInt32LE(0x08)
  const value = Buffer.alloc(size)
  let filled = 0
  for await (const { logical, block, count } of blockRuns(inode, place, fileSystem)) {
    for (let index = 0; index < count; index++) {
      const at = (logical + index) * volume.blockSize
      const length = Math.min(volume.blockSize, size - at)
      ;(await metadata.read((block + index) * volume.blockSize, length)).copy(value, at)
      filled += length
    }
  }
  if (filled !== size) throw fault('has holes')
  if (valueHash(volume.checksums.seed, value) === stored) return { value, hash: stored }
  if (isLustre) return { value, hash: undefined }
  throw wrongChecksum(place, `the extended attribute in inode ${number}`)
}
