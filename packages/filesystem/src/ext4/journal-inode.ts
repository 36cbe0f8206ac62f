import type { BlockAllocator } from './block-allocator.js'
import type { BlockWriter } from './block-writer.js'
import { inodeSeed } from './checksum.js'
import { BLOCK_SIZE, JOURNAL_INODE } from './constants.js'
import { ExtentList, writeExtentTree } from './extent-tree.js'
import { addBlocks, encodeInode, getSize, inodeBlock, InodeFlag } from './inode.js'
import type { InodeTable } from './inode-table.js'
import { encodeJournalSuperblock } from './journal.js'
import { metadataSeed, type Settings } from './options.js'

const BACKUP_SIZE = 68

/**
 * Inode 8: an empty journal. Of its blocks only the first is written.
 * @returns s_jnl_blocks: i_block, then the high and the low word of the size
 */
export async function writeJournalInode(
  inodes: InodeTable,
  blocks: number,
  settings: Settings,
  allocator: BlockAllocator,
  writer: BlockWriter,
): Promise<Buffer> {
  const extents = new ExtentList()
  while (extents.blocks < blocks) {
    const run = allocator.take(blocks - extents.blocks)
    extents.add(extents.blocks, run.block, run.count)
  }
  await writer.putBlock(
    extents.at(0).block,
    encodeJournalSuperblock({ blockSize: BLOCK_SIZE, blocks, uuid: settings.uuid }),
  )
  const { time } = settings
  const inode = inodes.at(JOURNAL_INODE)
  encodeInode(inode, {
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: blocks * BLOCK_SIZE,
    links: 1,
    flags: InodeFlag.extents,
    atime: time,
    ctime: time,
    mtime: time,
    crtime: time,
  })
  const seed = metadataSeed(settings)
  const ownSeed = seed === undefined ? undefined : inodeSeed(seed, JOURNAL_INODE, 0)
  addBlocks(inode, blocks + (await writeExtentTree(inode, extents, ownSeed, allocator, writer)))
  const backup = Buffer.alloc(BACKUP_SIZE)
  inodeBlock(inode).copy(backup)
  backup.writeUInt32LE(Math.floor(getSize(inode) / 2 ** 32), 60)
  backup.writeUInt32LE(getSize(inode) >>> 0, 64)
  return backup
}
