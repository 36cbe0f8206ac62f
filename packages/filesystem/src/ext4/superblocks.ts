import type { BlockWriter } from './block-writer.js'
import { BLOCK_SIZE, BLOCKS_PER_GROUP, FIRST_INODE, INODE_SIZE, JOURNAL_INODE } from './constants.js'
import { HALF_MD4 } from './directory-hash.js'
import { hasSuperblock, type Geometry } from './geometry.js'
import { EXTRA_INODE_SIZE } from './inode.js'
import type { Settings } from './options.js'
import { encodeSuperblock, HashSign, MountOption, SUPERBLOCK_OFFSET, type Superblock } from './superblock.js'

export interface FinishedFileSystem {
  readonly geometry: Geometry
  readonly settings: Settings
  readonly journalBlocks: number
  readonly journalBackup: Buffer
  readonly freeBlocks: number
  readonly freeInodes: number
  readonly descriptors: Buffer
}

/** Writes the group descriptors and the superblock, the copies first: without the superblock there is no file system. */
export async function writeSuperblocks(finished: FinishedFileSystem, writer: BlockWriter): Promise<void> {
  const { geometry, descriptors } = finished
  const superblock = describe(finished)
  for (let group = geometry.groups - 1; group >= 0; group--) {
    if (!hasSuperblock(group, geometry.sparse)) continue
    const start = group * BLOCKS_PER_GROUP
    await writer.putBlock(start + 1, descriptors)
    // the first 1024 bytes of the partition belong to boot code
    const offset = group === 0 ? SUPERBLOCK_OFFSET : start * BLOCK_SIZE
    await writer.put(offset, encodeSuperblock({ ...superblock, group: group & 0xffff }))
  }
}

function describe(finished: FinishedFileSystem): Superblock {
  const { geometry, settings, journalBlocks, freeBlocks, freeInodes } = finished
  const { blocks, groups, inodesPerGroup, capacity } = geometry
  return {
    inodes: groups * inodesPerGroup,
    blocks,
    reservedBlocks: Math.min(Math.floor((blocks * settings.reservedPercent) / 100), freeBlocks),
    freeBlocks,
    freeInodes,
    firstDataBlock: 0,
    blockSize: BLOCK_SIZE,
    blocksPerGroup: BLOCKS_PER_GROUP,
    inodesPerGroup,
    time: settings.time.seconds,
    firstInode: FIRST_INODE,
    inodeSize: INODE_SIZE,
    group: 0,
    features: [...settings.features],
    uuid: settings.uuid,
    label: settings.label,
    lastMounted: settings.lastMounted,
    reservedDescriptorBlocks: geometry.reservedDescriptorBlocks,
    journalInode: journalBlocks === 0 ? 0 : JOURNAL_INODE,
    journalBackup: finished.journalBackup,
    hashSeed: settings.hashSeed,
    hashVersion: HALF_MD4,
    hashSign: HashSign.signed,
    descriptorSize: geometry.descriptorSize,
    mountOptions: MountOption.userXattr | MountOption.acl,
    extraInodeSize: EXTRA_INODE_SIZE,
    groupsPerFlex: geometry.groupsPerFlex,
    kibWritten: ((blocks - freeBlocks) * BLOCK_SIZE) / 1024,
    overhead: blocks - capacity + journalBlocks,
    checksumSeed: settings.checksums.seed,
  }
}
