import { XattrBlocks, type Ext4Loss } from './attributes.js'
import { ByteArena } from './byte-arena.js'
import type { DirectoryRules } from './directory-blocks.js'
import { hashSeedWords } from './directory-hash.js'
import { InodeTable } from './inode-table.js'
import { NumberList } from './number-list.js'
import type { Settings } from './options.js'

/** What one walk over a tree finds: finished inodes but for their blocks, and what must get blocks. */
export class Inventory {
  readonly inodes = new InodeTable()
  readonly xattrBlocks = new XattrBlocks()
  readonly rules: DirectoryRules
  readonly losses: Ext4Loss[] = []
  /** Numbers of the inodes that share each attribute block: pairs of inode and block index. */
  readonly xattrUsers = new NumberList()
  /** Five numbers each: inode, parent, handle and length of the records, and whether it is indexed. */
  readonly directories = new NumberList()
  /** Symlinks whose target needs a block; three numbers each: inode, and handle and length of the target. */
  readonly symlinks = new NumberList()
  readonly arena = new ByteArena()
  /** ext4's inode for each inode of the tree. */
  readonly numbers = new Map<number, number>()
  /** Paths asked for, by inode. */
  readonly located = new Map<number, string[]>()
  /** Regular files that are not empty, each inode once. */
  readonly fileSizes = new NumberList()
  /** Files so large that it matters how much of them is holes. */
  readonly largeFiles: { readonly path: string; readonly size: number }[] = []
  entries = 0
  contentBytes = 0
  directoryBlocks = 0

  constructor(settings: Settings) {
    this.rules = {
      indexed: settings.features.has('dir_index'),
      checksummed: settings.features.has('metadata_csum'),
      hashSeed: hashSeedWords(settings.hashSeed),
    }
  }
}
