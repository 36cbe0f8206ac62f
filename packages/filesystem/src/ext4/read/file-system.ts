import type { BlockSource } from '@c2m/disk'
import type { InodeReader } from './inode-reader.js'
import type { MetadataReader } from './metadata-reader.js'
import type { Volume } from './volume.js'

/** What every part of the reader works with. */
export interface FileSystem {
  readonly volume: Volume
  /** With the journal's blocks in their places. */
  readonly source: BlockSource
  readonly metadata: MetadataReader
  readonly inodes: InodeReader
  readonly signal: AbortSignal | undefined
  /** Says something that a user should know, one sentence. */
  notice(message: string): void
}
