import { optionError } from './errors.js'

/** The superblock's three words of feature bits. */
export interface FeatureBits {
  readonly compat: number
  readonly incompat: number
  readonly roCompat: number
}

type Word = keyof FeatureBits

/**
 * Names as mke2fs and dumpe2fs use them. Kernel documentation: filesystems/ext4, "Super Block", tables of
 * s_feature_compat, s_feature_incompat and s_feature_ro_compat.
 */
const FEATURES: Readonly<Record<string, readonly [Word, number]>> = {
  dir_prealloc: ['compat', 0x1],
  imagic_inodes: ['compat', 0x2],
  has_journal: ['compat', 0x4],
  ext_attr: ['compat', 0x8],
  resize_inode: ['compat', 0x10],
  dir_index: ['compat', 0x20],
  lazy_bg: ['compat', 0x40],
  exclude_inode: ['compat', 0x80],
  exclude_bitmap: ['compat', 0x100],
  sparse_super2: ['compat', 0x200],
  fast_commit: ['compat', 0x400],
  stable_inodes: ['compat', 0x800],
  orphan_file: ['compat', 0x1000],
  compression: ['incompat', 0x1],
  filetype: ['incompat', 0x2],
  needs_recovery: ['incompat', 0x4],
  journal_dev: ['incompat', 0x8],
  meta_bg: ['incompat', 0x10],
  extent: ['incompat', 0x40],
  '64bit': ['incompat', 0x80],
  mmp: ['incompat', 0x100],
  flex_bg: ['incompat', 0x200],
  ea_inode: ['incompat', 0x400],
  dirdata: ['incompat', 0x1000],
  metadata_csum_seed: ['incompat', 0x2000],
  large_dir: ['incompat', 0x4000],
  inline_data: ['incompat', 0x8000],
  encrypt: ['incompat', 0x10000],
  casefold: ['incompat', 0x20000],
  sparse_super: ['roCompat', 0x1],
  large_file: ['roCompat', 0x2],
  btree_dir: ['roCompat', 0x4],
  huge_file: ['roCompat', 0x8],
  uninit_bg: ['roCompat', 0x10],
  dir_nlink: ['roCompat', 0x20],
  extra_isize: ['roCompat', 0x40],
  quota: ['roCompat', 0x100],
  bigalloc: ['roCompat', 0x200],
  metadata_csum: ['roCompat', 0x400],
  replica: ['roCompat', 0x800],
  readonly: ['roCompat', 0x1000],
  project: ['roCompat', 0x2000],
  shared_blocks: ['roCompat', 0x4000],
  verity: ['roCompat', 0x8000],
  orphan_present: ['roCompat', 0x10000],
}

const ALIASES: Readonly<Record<string, string>> = { extents: 'extent', gdt_csum: 'uninit_bg' }

/** What the writer cannot do without: it writes extents and file types only, and the resize inode is a large file. */
const REQUIRED = ['extent', 'filetype', 'large_file'] as const

const WRITABLE: ReadonlySet<string> = new Set([
  ...REQUIRED,
  'has_journal',
  'ext_attr',
  'resize_inode',
  'dir_index',
  '64bit',
  'flex_bg',
  'metadata_csum_seed',
  'sparse_super',
  'huge_file',
  'uninit_bg',
  'dir_nlink',
  'extra_isize',
  'metadata_csum',
])

/** The names of all bits that are set; an unknown bit appears as e.g. 'incompat:0x80000'. */
export function featureNames(bits: FeatureBits): string[] {
  const names: string[] = []
  const rest = { ...bits }
  for (const [name, [word, bit]] of Object.entries(FEATURES)) {
    if ((bits[word] & bit) === 0) continue
    names.push(name)
    rest[word] &= ~bit
  }
  for (const word of ['compat', 'incompat', 'roCompat'] as const) {
    if (rest[word] !== 0) names.push(`${word}:0x${(rest[word] >>> 0).toString(16)}`)
  }
  return names
}

/** @throws C2M_EXT4_OPTION for a name that is not in the table */
export function featureBits(names: Iterable<string>): FeatureBits {
  const bits = { compat: 0, incompat: 0, roCompat: 0 }
  for (const name of names) {
    const feature = Object.hasOwn(FEATURES, name) ? FEATURES[name] : undefined
    if (feature === undefined)
      throw optionError(`ext4 has no feature named ${JSON.stringify(name)}`, 'see ext4(5) for the names')
    bits[feature[0]] |= feature[1]
  }
  return bits
}

/**
 * The features of a file system to be written.
 * @throws C2M_EXT4_OPTION for names that are unknown, cannot be written, or do not go together
 */
export function writableFeatures(names: readonly string[]): ReadonlySet<string> {
  const features = new Set(names.map((name) => ALIASES[name] ?? name))
  featureBits(features)
  for (const name of features) {
    if (!WRITABLE.has(name))
      throw optionError(`the ext4 feature ${name} cannot be written`, 'leave it out of the feature list')
  }
  for (const name of REQUIRED) {
    if (!features.has(name))
      throw optionError(`ext4 is written with the feature ${name} only`, `add ${name} to the feature list`)
  }
  if (features.has('resize_inode') && !features.has('sparse_super')) {
    throw optionError('the ext4 feature resize_inode needs sparse_super', 'add sparse_super, or leave out resize_inode')
  }
  if (features.has('metadata_csum_seed') && !features.has('metadata_csum')) {
    throw optionError(
      'the ext4 feature metadata_csum_seed needs metadata_csum',
      'add metadata_csum, or leave out metadata_csum_seed',
    )
  }
  // metadata_csum stands for uninit_bg too; the kernel refuses both at once
  if (features.has('metadata_csum')) features.delete('uninit_bg')
  return features
}
