import type { DiskPlan, PlannedPartition } from '@c2m/plugin-api'
import { grubError } from './error.js'
import { GRUB_FOLDER } from './platform.js'

/** Where a guest's path is, as GRUB sees it: a partition, and a path inside that partition's file system. */
export interface Location {
  readonly partition: PlannedPartition
  readonly path: string
}

/**
 * @param path absolute in the guest
 * @throws C2M_GRUB_NO_ROOT when the plan has no file system that holds it
 */
export function locate(disk: DiskPlan, path: string): Location {
  const holders = disk.partitions
    .map((partition) => ({ partition, mountpoint: partition.mountpoint ?? (partition.role === 'root' ? '/' : '') }))
    .filter(({ mountpoint }) => mountpoint === '/' || (mountpoint !== '' && `${path}/`.startsWith(`${mountpoint}/`)))
    .sort((a, b) => b.mountpoint.length - a.mountpoint.length)
  const holder = holders[0]
  if (holder === undefined) {
    throw grubError(
      'C2M_GRUB_NO_ROOT',
      `no partition of the disk holds ${path}`,
      'plan a partition that is mounted at /',
    )
  }
  const inside = holder.mountpoint === '/' ? path : path.slice(holder.mountpoint.length)
  return { partition: holder.partition, path: inside === '' ? '/' : inside }
}

/** The file system's UUID, by which GRUB's search and the kernel find it. @throws C2M_GRUB_NO_UUID */
export function fileSystemUuid(partition: PlannedPartition): string {
  if (partition.uuid !== undefined && /^[0-9A-Fa-f-]{4,64}$/.test(partition.uuid)) return partition.uuid
  throw grubError(
    'C2M_GRUB_NO_UUID',
    `partition ${partition.number} (${partition.role}) has no usable file system UUID: ${JSON.stringify(partition.uuid)}`,
    'GRUB finds its files by UUID; give that partition a file system with one',
  )
}

/**
 * A prefix on whichever disk the firmware booted from, e.g. '(,gpt3)/boot/grub': a drive that is left empty is filled in
 * by GRUB at boot (grub_set_prefix_and_root in grub-core/kern/main.c), so core.img depends on no name or UUID.
 */
export function prefixOnBootDisk(disk: DiskPlan): string {
  const { partition, path } = locate(disk, GRUB_FOLDER)
  const scheme = disk.table === 'gpt' ? 'gpt' : 'msdos'
  return `(,${scheme}${partition.number})${path}`
}
