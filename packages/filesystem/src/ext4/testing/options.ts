import type { Ext4Options } from '../options.js'

const CONSERVATIVE = [
  'ext_attr',
  'resize_inode',
  'dir_index',
  'filetype',
  'extent',
  'sparse_super',
  'large_file',
  'huge_file',
  'dir_nlink',
  'extra_isize',
] as const

/** Feature sets that the tests go through. */
export const FEATURE_SETS = {
  modern: [...CONSERVATIVE, 'has_journal', 'flex_bg', '64bit', 'metadata_csum'],
  seeded: [...CONSERVATIVE, 'has_journal', 'flex_bg', '64bit', 'metadata_csum', 'metadata_csum_seed'],
  conservative: [...CONSERVATIVE, 'has_journal', 'flex_bg'],
  uninit: [...CONSERVATIVE, 'has_journal', 'flex_bg', 'uninit_bg'],
  plain: [...CONSERVATIVE, 'has_journal'],
  'no journal': [...CONSERVATIVE, 'flex_bg', '64bit', 'metadata_csum'],
  least: ['extent', 'filetype', 'large_file'],
} as const

export function testOptions(features: readonly string[], more: Partial<Ext4Options> = {}): Ext4Options {
  return {
    uuid: '3c1f4e6a-58b1-4b7e-9c55-0d6a3f0e1b2c',
    hashSeed: 'a1b2c3d4-e5f6-4711-8899-aabbccddeeff',
    label: 'root',
    time: { seconds: 1_750_000_000, nanoseconds: 0 },
    mountpointHint: '/',
    features,
    ...more,
  }
}
