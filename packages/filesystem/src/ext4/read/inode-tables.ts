import { descriptorChecksum } from '../checksum.js'
import { hasSuperblock } from '../geometry.js'
import { decodeGroupDescriptor } from '../group-descriptor.js'
import { damagedFileSystem, wrongFileSystemChecksum } from './faults.js'
import type { MetadataReader } from './metadata-reader.js'
import type { Volume } from './volume.js'

const CHECKSUM_OFFSET = 0x1e
/** Groups whose place is kept. */
const MAX_KNOWN = 100_000

/** Where inodes stand: each group's descriptor names the first block of its table. */
export class InodeTables {
  readonly #volume: Volume
  readonly #metadata: MetadataReader
  /** The first block of a group's table. */
  readonly #known = new Map<number, number>()
  readonly #tableBlocks: number

  constructor(volume: Volume, metadata: MetadataReader) {
    this.#volume = volume
    this.#metadata = metadata
    this.#tableBlocks = Math.ceil((volume.inodesPerGroup * volume.inodeSize) / volume.blockSize)
  }

  /** Byte offset of an inode, when its group is known. @param inode from 1 to the number of inodes */
  peek(inode: number): number | undefined {
    const group = this.#group(inode)
    const table = this.#known.get(group)
    if (table === undefined) return undefined
    const { blockSize, inodeSize, inodesPerGroup } = this.#volume
    return table * blockSize + (inode - 1 - group * inodesPerGroup) * inodeSize
  }

  /** @throws C2M_EXT4_CHECKSUM, C2M_EXT4_DAMAGED */
  async find(inode: number): Promise<number> {
    const group = this.#group(inode)
    if (!this.#known.has(group)) {
      const table = await this.#readTable(group)
      if (this.#known.size >= MAX_KNOWN) this.#known.clear()
      this.#known.set(group, table)
    }
    return this.peek(inode)!
  }

  #group(inode: number): number {
    return Math.floor((inode - 1) / this.#volume.inodesPerGroup)
  }

  async #readTable(group: number): Promise<number> {
    const { blockSize, descriptorSize, blocks, firstDataBlock, checksums } = this.#volume
    const perBlock = blockSize / descriptorSize
    const block = descriptorBlock(this.#volume, Math.floor(group / perBlock))
    if (block >= blocks) throw damagedFileSystem(`the descriptor of group ${group} lies outside of it`)
    const bytes = Buffer.from(
      await this.#metadata.read(block * blockSize + (group % perBlock) * descriptorSize, descriptorSize),
    )
    const stored = bytes.readUInt16LE(CHECKSUM_OFFSET)
    bytes.writeUInt16LE(0, CHECKSUM_OFFSET)
    if (checksums.kind !== 'none' && stored !== descriptorChecksum(checksums, group, bytes)) {
      throw wrongFileSystemChecksum(`the descriptor of group ${group}`)
    }
    const { inodeTable } = decodeGroupDescriptor(bytes)
    if (inodeTable > firstDataBlock && inodeTable + this.#tableBlocks <= blocks) return inodeTable
    throw damagedFileSystem(`the inode table of group ${group} at block ${inodeTable} lies outside of it`)
  }
}

/**
 * The block that holds the `index`-th block of descriptors: behind the superblock, or with meta_bg at the start of the
 * groups that it describes (kernel documentation: filesystems/ext4, "Meta Block Groups").
 */
function descriptorBlock(volume: Volume, index: number): number {
  const { blockSize, descriptorSize, blocksPerGroup, firstDataBlock, firstMetaBlock } = volume
  const superblockBlock = blockSize === 1024 ? 1 : 0
  if (index < firstMetaBlock) return superblockBlock + 1 + index
  const group = (blockSize / descriptorSize) * index
  // with 1 KiB blocks that are counted from 0 (bigalloc) the superblock of group 0 stands in block 1
  const shift = group === 0 && superblockBlock > firstDataBlock ? 1 : 0
  return firstDataBlock + group * blocksPerGroup + (holdsSuperblock(volume, group) ? 1 : 0) + shift
}

function holdsSuperblock({ features, backupGroups }: Volume, group: number): boolean {
  if (features.has('sparse_super2')) return group === 0 || backupGroups.includes(group)
  return hasSuperblock(group, features.has('sparse_super'))
}
