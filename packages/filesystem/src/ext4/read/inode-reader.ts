import { ROOT_INODE } from '../constants.js'
import { damaged, wrongChecksum, type Place } from './faults.js'
import type { InodeTables } from './inode-tables.js'
import type { MetadataReader } from './metadata-reader.js'
import { decodeStoredInode, Flag, hasRightChecksum, OLD_SIZE, type StoredInode } from './stored-inode.js'
import type { Volume } from './volume.js'

/** What an inode is read for: one that has a name, or one that only the file system itself knows. */
export type InodeUse = 'named' | 'internal'

/** Block maps of 32 bits of logical blocks end here. */
const MAX_LOGICAL_BLOCKS = 2 ** 32

export class InodeReader {
  readonly #volume: Volume
  readonly #tables: InodeTables
  readonly #metadata: MetadataReader
  readonly #largeDirectories: boolean

  constructor(volume: Volume, tables: InodeTables, metadata: MetadataReader) {
    this.#volume = volume
    this.#tables = tables
    this.#metadata = metadata
    this.#largeDirectories = volume.features.has('large_dir')
  }

  /** The inode, unless something must be read for it first. @throws as `read` */
  peek(place: Place): StoredInode | undefined {
    this.#checkNumber(place, 'named')
    const offset = this.#tables.peek(place.inode)
    const raw = offset === undefined ? undefined : this.#metadata.peek(offset, this.#volume.inodeSize)
    return raw === undefined ? undefined : this.#check(raw, place)
  }

  /** @throws C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM */
  async read(place: Place, use: InodeUse = 'named'): Promise<StoredInode> {
    this.#checkNumber(place, use)
    const offset = await this.#tables.find(place.inode)
    return this.#check(await this.#metadata.read(offset, this.#volume.inodeSize), place)
  }

  /** Brings inodes near; what is wrong with them is said when they are read. */
  async prefetch(numbers: Iterable<number>): Promise<void> {
    const offsets: number[] = []
    for (const number of numbers) {
      if (number < 1 || number > this.#volume.inodes) continue
      const offset = this.#tables.peek(number) ?? (await this.#tables.find(number).catch(() => undefined))
      if (offset !== undefined) offsets.push(offset)
    }
    await this.#metadata.prefetch(offsets)
  }

  #checkNumber(place: Place, use: InodeUse): void {
    const { inode } = place
    const { inodes, firstInode } = this.#volume
    if (inode < 1 || inode > inodes) throw damaged(place, `there are only ${inodes} inodes`)
    if (use === 'named' && inode < firstInode && inode !== ROOT_INODE) {
      throw damaged(place, 'the inode is one of the reserved ones')
    }
  }

  #check(raw: Buffer, place: Place): StoredInode {
    const { seed, blockSize } = this.#volume
    const inode = decodeStoredInode(raw, place.inode, this.#largeDirectories)
    if (inode === undefined) throw damaged(place, this.#isZero(raw) ? 'the inode is empty' : 'its type is unknown')
    if (inode.extraSize > raw.length - OLD_SIZE || inode.extraSize % 4 !== 0) {
      throw damaged(place, `the extra size of the inode is ${inode.extraSize} bytes`)
    }
    if (seed !== undefined && !hasRightChecksum(inode, seed)) throw wrongChecksum(place, 'the inode')
    if (inode.links === 0) throw damaged(place, 'the inode has been deleted')
    if (inode.size > MAX_LOGICAL_BLOCKS * blockSize) throw damaged(place, `it claims a size of ${inode.size} bytes`)
    return inode
  }

  #isZero(raw: Buffer): boolean {
    return raw.every((byte) => byte === 0)
  }
}

export function isEncrypted(inode: StoredInode): boolean {
  return (inode.flags & Flag.encrypted) !== 0
}

export function hasInlineData(inode: StoredInode): boolean {
  return (inode.flags & Flag.inlineData) !== 0
}
