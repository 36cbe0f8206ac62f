import type { BlockSource } from '@c2m/disk'
import { formatUuid } from '@c2m/disk'
import { decodeName } from '@c2m/rootfs'
import { SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, type Superblock } from '../superblock.js'
import { hasMagic, readSuperblock } from './volume.js'

export interface Ext4Summary {
  readonly type: 'ext2' | 'ext3' | 'ext4'
  readonly uuid: string
  /** Empty: none. */
  readonly label: string
  /** Where it was mounted last, e.g. '/'; empty when it never told. */
  readonly lastMounted: string
  /** Bytes. */
  readonly blockSize: number
  /** Bytes of the file system, which may be fewer than those of the partition. */
  readonly sizeBytes: number
  /** As the superblock tells, which a running system updates now and then only. */
  readonly usedBytes: number
  /** Names as dumpe2fs shows them. */
  readonly features: readonly string[]
  /** The journal holds what has not reached its place. */
  readonly needsRecovery: boolean
  /** Seconds since 1970. */
  readonly lastWritten: number
}

/** Features of ext2 and ext3; any other makes it ext4 (as blkid tells them apart). */
const OLD_FEATURES: ReadonlySet<string> = new Set([
  'filetype',
  'needs_recovery',
  'meta_bg',
  'sparse_super',
  'large_file',
  'btree_dir',
  'dir_prealloc',
  'imagic_inodes',
  'has_journal',
  'ext_attr',
  'resize_inode',
  'dir_index',
  'lazy_bg',
  'exclude_inode',
  'exclude_bitmap',
  'sparse_super2',
  'stable_inodes',
])

/**
 * What a superblock says, unchecked but for its magic number: for looking. Undefined when there is none, or when it is
 * another file system's external journal.
 */
export async function probeExt4(source: BlockSource): Promise<Ext4Summary | undefined> {
  if (source.size < SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE) return undefined
  const bytes = Buffer.alloc(SUPERBLOCK_SIZE)
  await source.read(SUPERBLOCK_OFFSET, bytes)
  if (!hasMagic(bytes)) return undefined
  const superblock = readSuperblock(bytes)
  return superblock.features.includes('journal_dev') ? undefined : summarize(superblock)
}

export function summarize(superblock: Superblock): Ext4Summary {
  const { features, blocks, freeBlocks, blockSize } = superblock
  return {
    type: typeOf(features),
    uuid: formatUuid(superblock.uuid),
    label: decodeName(superblock.label),
    lastMounted: decodeName(superblock.lastMounted),
    blockSize,
    sizeBytes: blocks * blockSize,
    usedBytes: Math.max(blocks - freeBlocks, 0) * blockSize,
    features,
    needsRecovery: features.includes('needs_recovery'),
    lastWritten: superblock.time,
  }
}

function typeOf(features: readonly string[]): Ext4Summary['type'] {
  if (features.some((name) => !OLD_FEATURES.has(name))) return 'ext4'
  return features.includes('has_journal') ? 'ext3' : 'ext2'
}
