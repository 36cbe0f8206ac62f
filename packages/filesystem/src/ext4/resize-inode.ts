import type { BlockAllocator } from './block-allocator.js'
import type { BlockWriter } from './block-writer.js'
import { BLOCK_SIZE, BLOCKS_PER_GROUP, RESIZE_INODE } from './constants.js'
import { hasSuperblock, type Geometry } from './geometry.js'
import { addBlocks, encodeInode, inodeBlock } from './inode.js'
import type { InodeTable } from './inode-table.js'
import type { Settings } from './options.js'

const ADDRESSES = BLOCK_SIZE / 4
const DIRECT_BLOCKS = 12
const DOUBLE_INDIRECT = 13
/** What twelve direct, one indirect and one double indirect block reach. */
const SIZE = (DIRECT_BLOCKS + ADDRESSES + ADDRESSES * ADDRESSES) * BLOCK_SIZE

/**
 * Inode 7 keeps blocks behind the group descriptors for growth (kernel: fs/ext4/resize.c, verify_reserved_gdb). Its
 * double indirect block lists the reserved blocks of group 0, each at the place of its number among all descriptor
 * blocks; each of these in turn is the indirect block that lists its copies in the other groups.
 *
 *     i_block[13] → | … | reserved block n of group 0 | … | → | its copy in group 1 | in group 3 | in group 5 | …
 */
export async function writeResizeInode(
  inodes: InodeTable,
  geometry: Geometry,
  settings: Settings,
  allocator: BlockAllocator,
  writer: BlockWriter,
): Promise<void> {
  const { descriptorBlocks, reservedDescriptorBlocks, groups, sparse } = geometry
  const { block: doubleIndirect } = allocator.take(1)
  const copies: number[] = []
  for (let group = 1; group < groups; group++) {
    if (hasSuperblock(group, sparse)) copies.push(group * BLOCKS_PER_GROUP)
  }
  const top = Buffer.alloc(BLOCK_SIZE)
  const below = Buffer.alloc(BLOCK_SIZE)
  for (let index = 0; index < reservedDescriptorBlocks; index++) {
    const block = 1 + descriptorBlocks + index
    top.writeUInt32LE(block, ((descriptorBlocks + index) % ADDRESSES) * 4)
    copies.forEach((start, copy) => below.writeUInt32LE(start + block, copy * 4))
    await writer.putBlock(block, below)
  }
  await writer.putBlock(doubleIndirect, top)
  const { time } = settings
  const inode = inodes.at(RESIZE_INODE)
  encodeInode(inode, {
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: SIZE,
    links: 1,
    flags: 0,
    atime: time,
    ctime: time,
    mtime: time,
    crtime: time,
  })
  inodeBlock(inode).writeUInt32LE(doubleIndirect, DOUBLE_INDIRECT * 4)
  addBlocks(inode, 1 + reservedDescriptorBlocks * (1 + copies.length))
}
