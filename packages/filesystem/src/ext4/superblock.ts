import { CRC32C_START, crc32c } from './crc32c.js'
import { featureBits, featureNames } from './features.js'

/**
 * Kernel documentation: filesystems/ext4, "Super Block". 1024 bytes at byte 1024 of the partition, little-endian; copies
 * at the start of the groups that hold one. Only what this package uses is named here.
 *
 *     0x000  inodes_count         blocks_count_lo      r_blocks_count_lo    free_blocks_count_lo
 *     0x010  free_inodes_count    first_data_block     log_block_size       log_cluster_size
 *     0x020  blocks_per_group     clusters_per_group   inodes_per_group     mtime
 *     0x030  wtime                mnt_count|max_mnt    magic|state          errors|minor_rev
 *     0x040  lastcheck            checkinterval        creator_os           rev_level
 *     0x050  def_resuid|resgid    first_ino            inode_size|group_nr  feature_compat
 *     0x060  feature_incompat     feature_ro_compat    uuid[16] …
 *     0x070  …                                         volume_name[16] …
 *     0x080  …                                         last_mounted[64] …
 *     0x0c0  …                                                              reserved_gdt_blocks (0x0ce)
 *     0x0d0  journal_uuid[16]
 *     0x0e0  journal_inum         journal_dev          last_orphan          hash_seed[16] …
 *     0x0f0  …                                                              def_hash|jnl_backup|desc_size
 *     0x100  default_mount_opts   first_meta_bg        mkfs_time            jnl_blocks[17] …
 *     0x150  blocks_count_hi      r_blocks_count_hi    free_blocks_hi       min_extra|want_extra isize
 *     0x160  flags                …
 *     0x170  …                    flex|checksum type   kbytes_written (8 bytes)
 *     0x240  …                                         overhead_blocks
 *     0x270  checksum_seed        …
 *     0x3f0  …                                                              checksum
 */
export const SUPERBLOCK_OFFSET = 1024
export const SUPERBLOCK_SIZE = 1024
export const SUPERBLOCK_MAGIC = 0xef53

const CHECKSUM_OFFSET = 0x3fc
const JOURNAL_BACKUP_WORDS = 17
const CRC32C_TYPE = 1
const JOURNAL_BACKUP_BLOCKS = 1
const STATE_CLEAN = 1
const ERRORS_CONTINUE = 1
const DYNAMIC_REVISION = 1
const NEVER_CHECK = 0xffff

export const MountOption = { userXattr: 0x4, acl: 0x8 } as const
export const HashSign = { signed: 0x1, unsigned: 0x2 } as const

export interface Superblock {
  readonly inodes: number
  readonly blocks: number
  readonly reservedBlocks: number
  readonly freeBlocks: number
  readonly freeInodes: number
  readonly firstDataBlock: number
  /** Bytes. */
  readonly blockSize: number
  readonly blocksPerGroup: number
  readonly inodesPerGroup: number
  /** Seconds since 1970 of the last write, which for a new file system is when it was made. */
  readonly time: number
  readonly firstInode: number
  /** Bytes. */
  readonly inodeSize: number
  /** The group this copy stands in. */
  readonly group: number
  readonly features: readonly string[]
  readonly uuid: Uint8Array
  readonly label: Uint8Array
  readonly lastMounted: Uint8Array
  readonly reservedDescriptorBlocks: number
  readonly journalInode: number
  /** i_block of the journal's inode, then the high and the low word of its size. Empty: none. */
  readonly journalBackup: Uint8Array
  readonly hashSeed: Uint8Array
  readonly hashVersion: number
  readonly hashSign: number
  /** Bytes; 32 without 64bit. */
  readonly descriptorSize: number
  readonly mountOptions: number
  /** i_extra_isize that every inode has and that new ones get; bytes. */
  readonly extraInodeSize: number
  /** A power of two; 1 without flex_bg. */
  readonly groupsPerFlex: number
  readonly kibWritten: number
  /** Blocks that never hold files: metadata and the journal. */
  readonly overhead: number
  readonly checksumSeed: number
}

export function encodeSuperblock(sb: Superblock): Buffer {
  const bytes = Buffer.alloc(SUPERBLOCK_SIZE)
  const bits = featureBits(sb.features)
  const u16 = (offset: number, value: number): number => bytes.writeUInt16LE(value, offset)
  const u32 = (offset: number, value: number): number => bytes.writeUInt32LE(value >>> 0, offset)
  const split = (low: number, high: number, value: number): void => {
    u32(low, value)
    u32(high, Math.floor(value / 2 ** 32))
  }
  const time = (low: number, high: number): void => {
    u32(low, sb.time)
    bytes.writeUInt8(Math.floor(sb.time / 2 ** 32) & 0xff, high)
  }
  const logBlockSize = Math.log2(sb.blockSize) - 10
  u32(0x00, sb.inodes)
  split(0x04, 0x150, sb.blocks)
  split(0x08, 0x154, sb.reservedBlocks)
  split(0x0c, 0x158, sb.freeBlocks)
  u32(0x10, sb.freeInodes)
  u32(0x14, sb.firstDataBlock)
  u32(0x18, logBlockSize)
  u32(0x1c, logBlockSize)
  u32(0x20, sb.blocksPerGroup)
  u32(0x24, sb.blocksPerGroup)
  u32(0x28, sb.inodesPerGroup)
  time(0x30, 0x274)
  u16(0x36, NEVER_CHECK)
  u16(0x38, SUPERBLOCK_MAGIC)
  u16(0x3a, STATE_CLEAN)
  u16(0x3c, ERRORS_CONTINUE)
  time(0x40, 0x277)
  u32(0x4c, DYNAMIC_REVISION)
  u32(0x54, sb.firstInode)
  u16(0x58, sb.inodeSize)
  u16(0x5a, sb.group)
  u32(0x5c, bits.compat)
  u32(0x60, bits.incompat)
  u32(0x64, bits.roCompat)
  bytes.set(sb.uuid.subarray(0, 16), 0x68)
  bytes.set(sb.label.subarray(0, 16), 0x78)
  bytes.set(sb.lastMounted.subarray(0, 63), 0x88)
  u16(0xce, sb.reservedDescriptorBlocks)
  u32(0xe0, sb.journalInode)
  bytes.set(sb.hashSeed.subarray(0, 16), 0xec)
  bytes.writeUInt8(sb.hashVersion, 0xfc)
  if (sb.journalBackup.length > 0) bytes.writeUInt8(JOURNAL_BACKUP_BLOCKS, 0xfd)
  u16(0xfe, sb.features.includes('64bit') ? sb.descriptorSize : 0)
  u32(0x100, sb.mountOptions)
  time(0x108, 0x276)
  bytes.set(sb.journalBackup.subarray(0, 4 * JOURNAL_BACKUP_WORDS), 0x10c)
  u16(0x15c, sb.extraInodeSize)
  u16(0x15e, sb.extraInodeSize)
  u32(0x160, sb.hashSign)
  bytes.writeUInt8(Math.log2(sb.groupsPerFlex), 0x174)
  split(0x178, 0x17c, sb.kibWritten)
  u32(0x248, sb.overhead)
  if (sb.features.includes('metadata_csum_seed')) u32(0x270, sb.checksumSeed)
  if (sb.features.includes('metadata_csum')) {
    bytes.writeUInt8(CRC32C_TYPE, 0x175)
    u32(CHECKSUM_OFFSET, superblockChecksum(bytes))
  }
  return bytes
}

/** Reads the fields as they are; whether they make sense is the caller's to check, as is the magic number. */
export function decodeSuperblock(bytes: Buffer): Superblock {
  const u16 = (offset: number): number => bytes.readUInt16LE(offset)
  const u32 = (offset: number): number => bytes.readUInt32LE(offset)
  const bits = { compat: u32(0x5c), incompat: u32(0x60), roCompat: u32(0x64) }
  const features = featureNames(bits)
  const wide = features.includes('64bit')
  const join = (low: number, high: number): number => u32(low) + (wide ? u32(high) * 2 ** 32 : 0)
  const copy = (offset: number, length: number): Buffer => Buffer.from(bytes.subarray(offset, offset + length))
  const text = (offset: number, length: number): Buffer => {
    const field = copy(offset, length)
    const end = field.indexOf(0)
    return end < 0 ? field : field.subarray(0, end)
  }
  const journalBackup = copy(0x10c, 4 * JOURNAL_BACKUP_WORDS)
  return {
    inodes: u32(0x00),
    blocks: join(0x04, 0x150),
    reservedBlocks: join(0x08, 0x154),
    freeBlocks: join(0x0c, 0x158),
    freeInodes: u32(0x10),
    firstDataBlock: u32(0x14),
    blockSize: 2 ** (10 + Math.min(u32(0x18), 20)),
    blocksPerGroup: u32(0x20),
    inodesPerGroup: u32(0x28),
    time: u32(0x30) + bytes.readUInt8(0x274) * 2 ** 32,
    firstInode: u32(0x54),
    inodeSize: u16(0x58),
    group: u16(0x5a),
    features,
    uuid: copy(0x68, 16),
    label: text(0x78, 16),
    lastMounted: text(0x88, 64),
    reservedDescriptorBlocks: u16(0xce),
    journalInode: u32(0xe0),
    journalBackup: bytes.readUInt8(0xfd) === JOURNAL_BACKUP_BLOCKS ? journalBackup : Buffer.alloc(0),
    hashSeed: copy(0xec, 16),
    hashVersion: bytes.readUInt8(0xfc),
    hashSign: u32(0x160) & 3,
    descriptorSize: wide ? u16(0xfe) : 32,
    mountOptions: u32(0x100),
    extraInodeSize: u16(0x15e),
    groupsPerFlex: features.includes('flex_bg') ? 2 ** Math.min(bytes.readUInt8(0x174), 31) : 1,
    kibWritten: u32(0x178) + u32(0x17c) * 2 ** 32,
    overhead: u32(0x248),
    checksumSeed: features.includes('metadata_csum_seed') ? u32(0x270) : crc32c(CRC32C_START, bytes, 0x68, 0x78),
  }
}

/** s_checksum; stands in the last four bytes when metadata_csum is set. */
export function superblockChecksum(bytes: Uint8Array): number {
  return crc32c(CRC32C_START, bytes, 0, CHECKSUM_OFFSET)
}
