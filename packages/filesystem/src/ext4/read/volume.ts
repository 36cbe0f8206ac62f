import type { ChecksumRules } from '../checksum.js'
import { LONG_DESCRIPTOR, SHORT_DESCRIPTOR } from '../group-descriptor.js'
import { decodeSuperblock, SUPERBLOCK_MAGIC, superblockChecksum, type Superblock } from '../superblock.js'
import { damagedFileSystem, unsupported, wrongFileSystemChecksum } from './faults.js'

/** What a superblock says of its file system, checked: nothing below divides by zero or points outside. */
export interface Volume {
  readonly superblock: Superblock
  readonly features: ReadonlySet<string>
  /** Bytes. */
  readonly blockSize: number
  /** Block numbers lie in (firstDataBlock, blocks). */
  readonly blocks: number
  readonly firstDataBlock: number
  readonly blocksPerGroup: number
  readonly groups: number
  readonly inodesPerGroup: number
  readonly inodes: number
  /** Bytes. */
  readonly inodeSize: number
  /** The first one that may have a name, except for the root. */
  readonly firstInode: number
  /** Bytes. */
  readonly descriptorSize: number
  /** The first block of descriptors that stands in its own groups; only with meta_bg. */
  readonly firstMetaBlock: number
  /** The groups that hold a copy of the superblock besides group 0; only with sparse_super2. */
  readonly backupGroups: readonly number[]
  readonly checksums: ChecksumRules
  /** Start of metadata checksums; undefined without metadata_csum. */
  readonly seed: number | undefined
  readonly state: { readonly clean: boolean; readonly errors: boolean }
}

const MAX_LOG_BLOCK_SIZE = 6
const GOOD_OLD_INODE = 128
const GOOD_OLD_FIRST_INODE = 11
const MAX_DESCRIPTOR = 1024
const CRC32C_TYPE = 1
const State = { clean: 0x1, errors: 0x2 } as const

/** Features that change how files are found, and that this reader knows. */
const READABLE_INCOMPAT: ReadonlySet<string> = new Set([
  'filetype',
  'needs_recovery',
  'meta_bg',
  'extent',
  '64bit',
  'mmp',
  'flex_bg',
  'ea_inode',
  'metadata_csum_seed',
  'large_dir',
  'inline_data',
  'encrypt',
  'casefold',
])

/** Features that do not matter to who only reads: all of the other two words. */
const INCOMPAT_NAMES: ReadonlySet<string> = new Set([...READABLE_INCOMPAT, 'journal_dev', 'compression', 'dirdata'])

export function hasMagic(bytes: Buffer): boolean {
  return bytes.readUInt16LE(0x38) === SUPERBLOCK_MAGIC
}

/** As `decodeSuperblock`; revision 0, before ext2 had features, fixes what later ones store. */
export function readSuperblock(bytes: Buffer): Superblock {
  if (bytes.readUInt32LE(0x4c) !== 0) return decodeSuperblock(bytes)
  const copy = Buffer.from(bytes)
  copy.fill(0, 0x54, 0x68)
  return { ...decodeSuperblock(copy), inodeSize: GOOD_OLD_INODE, firstInode: GOOD_OLD_FIRST_INODE }
}

/**
 * @param bytes the 1024 bytes of the superblock
 * @param size of what holds the file system, in bytes
 * @throws C2M_EXT4_UNSUPPORTED, C2M_EXT4_DAMAGED, C2M_EXT4_CHECKSUM
 */
export function checkVolume(bytes: Buffer, size: number): Volume {
  if (!hasMagic(bytes)) {
    throw unsupported('there is no ext2, ext3 or ext4 superblock', 'name the partition that holds the file system')
  }
  const superblock = readSuperblock(bytes)
  const features: ReadonlySet<string> = new Set(superblock.features)
  checkFeatures(superblock.features)
  if (features.has('metadata_csum')) {
    if (bytes.readUInt8(0x175) !== CRC32C_TYPE) {
      throw unsupported(`its checksums are of type ${bytes.readUInt8(0x175)}`, 'only crc32c, type 1, is known')
    }
    if (bytes.readUInt32LE(0x3fc) !== superblockChecksum(bytes)) throw wrongFileSystemChecksum('the superblock')
  }
  const state = bytes.readUInt16LE(0x3a)
  const volume: Volume = {
    superblock,
    features,
    blockSize: superblock.blockSize,
    blocks: superblock.blocks,
    firstDataBlock: superblock.firstDataBlock,
    blocksPerGroup: superblock.blocksPerGroup,
    groups: Math.ceil((superblock.blocks - superblock.firstDataBlock) / superblock.blocksPerGroup),
    inodesPerGroup: superblock.inodesPerGroup,
    inodes: superblock.inodes,
    inodeSize: superblock.inodeSize,
    firstInode: superblock.firstInode,
    descriptorSize: superblock.descriptorSize,
    firstMetaBlock: features.has('meta_bg') ? bytes.readUInt32LE(0x104) : Infinity,
    backupGroups: features.has('sparse_super2') ? [bytes.readUInt32LE(0x24c), bytes.readUInt32LE(0x250)] : [],
    checksums: {
      kind: features.has('metadata_csum') ? 'crc32c' : features.has('uninit_bg') ? 'crc16' : 'none',
      seed: superblock.checksumSeed,
      uuid: superblock.uuid,
    },
    seed: features.has('metadata_csum') ? superblock.checksumSeed : undefined,
    state: { clean: (state & State.clean) !== 0, errors: (state & State.errors) !== 0 },
  }
  checkGeometry(volume, bytes.readUInt32LE(0x18))
  if (volume.blocks * volume.blockSize > size) {
    throw damagedFileSystem(
      `it has ${volume.blocks} blocks of ${volume.blockSize} bytes, but only ${size} bytes are there`,
    )
  }
  return volume
}

function checkFeatures(features: readonly string[]): void {
  if (features.includes('journal_dev')) {
    throw unsupported('it is the external journal of another file system', 'name the partition that holds the files')
  }
  const unknown = features.filter(
    (name) => (INCOMPAT_NAMES.has(name) || name.startsWith('incompat:')) && !READABLE_INCOMPAT.has(name),
  )
  if (unknown.length === 0) return
  throw unsupported(
    `it uses the feature${unknown.length > 1 ? 's' : ''} ${unknown.join(', ')}`,
    'try --reader nbd or --reader guestfs, which use the kernel',
  )
}

function checkGeometry(volume: Volume, logBlockSize: number): void {
  const { blockSize, inodeSize, descriptorSize, features } = volume
  const isPower = (value: number): boolean => Number.isInteger(Math.log2(value))
  const require = (holds: boolean, what: string, value: number): void => {
    if (!holds) throw damagedFileSystem(`its superblock tells ${value} for the ${what}`)
  }
  require(logBlockSize <= MAX_LOG_BLOCK_SIZE, 'logarithm of the block size', logBlockSize)
  require(volume.blocks > volume.firstDataBlock, 'number of blocks', volume.blocks)
  require(volume.firstDataBlock <= 1, 'first block', volume.firstDataBlock)
  const maxPerGroup = 8 * blockSize
  const maxBlocksPerGroup = features.has('bigalloc') ? maxPerGroup * 2 ** 16 : maxPerGroup
  const { blocksPerGroup, inodesPerGroup } = volume
  require(blocksPerGroup > 0 && blocksPerGroup <= maxBlocksPerGroup, 'blocks of a group', blocksPerGroup)
  require(inodesPerGroup > 0 && inodesPerGroup <= maxPerGroup, 'inodes of a group', inodesPerGroup)
  require(volume.inodes === volume.groups * inodesPerGroup, 'number of inodes', volume.inodes)
  require(inodeSize >= GOOD_OLD_INODE && inodeSize <= blockSize && isPower(inodeSize), 'size of an inode', inodeSize)
  const least = features.has('64bit') ? LONG_DESCRIPTOR : SHORT_DESCRIPTOR
  const fits = descriptorSize >= least && descriptorSize <= MAX_DESCRIPTOR && isPower(descriptorSize)
  require(fits, 'size of a group descriptor', descriptorSize)
}
