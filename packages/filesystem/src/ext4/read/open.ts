import type { BlockSource } from '@c2m/disk'
import { throwIfAborted } from '@c2m/process'
import { ROOT_INODE } from '../constants.js'
import { SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE } from '../superblock.js'
import { damaged, unsupported } from './faults.js'
import type { FileSystem } from './file-system.js'
import { InodeReader } from './inode-reader.js'
import { InodeTables } from './inode-tables.js'
import { replayJournal } from './journal/replay.js'
import { MetadataReader } from './metadata-reader.js'
import { summarize } from './probe.js'
import { FileSystemRootfs, type Ext4Rootfs } from './rootfs.js'
import { checkVolume, type Volume } from './volume.js'

export interface OpenExt4Options {
  readonly signal?: AbortSignal
  /** Something that a user should know, one sentence: a journal that was replayed, names that are encrypted … */
  onNotice?(message: string): void
}

/**
 * Opens an ext2, ext3 or ext4 file system for reading. Metadata is read when it is asked for, checksums are verified,
 * and a journal that was not replayed is, in memory; nothing is ever written. Disposing it does not close `source`.
 *
 * All that it does later throws C2M_EXT4_DAMAGED or C2M_EXT4_CHECKSUM, with the path, for what is damaged, and
 * C2M_EXT4_ENCRYPTED for the content of encrypted files.
 * @throws C2M_EXT4_UNSUPPORTED, C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM, C2M_EXT4_JOURNAL, C2M_INTERRUPTED, what `source` throws
 */
export async function openExt4(source: BlockSource, options: OpenExt4Options = {}): Promise<Ext4Rootfs> {
  throwIfAborted(options.signal)
  const notice = (message: string): void => options.onNotice?.(message)
  let fileSystem = makeFileSystem(await readVolume(source), source, options.signal, notice)
  const replayed = await replayJournal(fileSystem)
  if (replayed !== undefined) {
    fileSystem = makeFileSystem(await readVolume(replayed), replayed, options.signal, notice)
  }
  noticeState(fileSystem)
  const root = await fileSystem.inodes.read({ inode: ROOT_INODE, path: '' })
  if (root.type !== 'directory') throw damaged({ inode: ROOT_INODE, path: '' }, `the root is a ${root.type}`)
  return new FileSystemRootfs(fileSystem, summarize(fileSystem.volume.superblock))
}

async function readVolume(source: BlockSource): Promise<Volume> {
  if (source.size < SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE) {
    throw unsupported(`${source.size} bytes are too few for one`, 'name the partition that holds the file system')
  }
  const bytes = Buffer.alloc(SUPERBLOCK_SIZE)
  await source.read(SUPERBLOCK_OFFSET, bytes)
  return checkVolume(bytes, source.size)
}

function makeFileSystem(
  volume: Volume,
  source: BlockSource,
  signal: AbortSignal | undefined,
  notice: (message: string) => void,
): FileSystem {
  const metadata = new MetadataReader(source)
  const inodes = new InodeReader(volume, new InodeTables(volume, metadata), metadata)
  return { volume, source, metadata, inodes, signal, notice }
}

function noticeState({ volume, notice }: FileSystem): void {
  const { state, features } = volume
  if (state.errors) notice('the file system is marked as damaged; what is read may be incomplete, e2fsck would tell')
  else if (!state.clean && !features.has('has_journal')) {
    notice('the file system was not unmounted and has no journal; what was written last may be missing')
  }
}
