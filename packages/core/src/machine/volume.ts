import type { FoundPartition } from '@c2m/disk'
import type { ProbedFilesystem } from '@c2m/filesystem'
import type { Rootfs } from '@c2m/plugin-api'
import { shown } from '@c2m/process'

/** Something on a machine's disks that holds a file system, or what one is kept in. */
export interface Volume {
  /** For messages, e.g. 'partition 2', '/dev/vg0/root'. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Its line in the partition table; undefined for a whole disk and for logical volumes. */
  readonly partition?: FoundPartition
  readonly filesystem?: ProbedFilesystem
  /** Whether it begins and ends with zeros; undefined where nobody looked. */
  readonly blank?: boolean
  /** The names that a running machine knows it by, besides those that follow from the others, e.g. '/dev/mapper/vg0-root'. */
  readonly devices?: readonly string[]
  /** Of btrfs: which subvolume it is, '' for the topmost; volumes of one file system differ in nothing else. */
  readonly subvolume?: string
  /** The encrypted volume that this is the content of. */
  readonly container?: Volume
  /** Its tree; undefined when this reader cannot read it. */
  open?(): Promise<Rootfs>
  /** The same tree, for readers that have a better way to read all of it than to look at some files. */
  whole?(): Promise<Rootfs>
}

/** 'partition 2 (ext4, label root)' */
export function describeVolume({ name, filesystem, blank }: Volume): string {
  const label = filesystem?.label === undefined ? '' : `, label ${shown(filesystem.label)}`
  return `${name} (${filesystem?.type ?? (blank === true ? 'blank' : 'nothing known')}${label})`
}
