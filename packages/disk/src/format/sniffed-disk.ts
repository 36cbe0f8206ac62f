import type { DiskFormat } from '@c2m/plugin-api'

/** What a disk file is, told by its own bytes. */
export interface SniffedDisk {
  readonly format: DiskFormat
  /** E.g. 'dynamic', 'streamOptimized'; of a raw disk its partition table: 'gpt' or 'mbr'. */
  readonly variant?: string
  /** Other files that this one is made of or based on, as it names them. Opening it would open these: never trust them. */
  readonly refersTo: readonly string[]
}
