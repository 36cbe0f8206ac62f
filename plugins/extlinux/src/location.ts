import type { DiskPlan, PlannedPartition } from '@c2m/plugin-api'
import { extlinuxError } from './error.js'

/** Where the loader, its modules and its menu are in the guest. */
export const FOLDER = '/boot/extlinux'
export const LOADER = `${FOLDER}/ldlinux.sys`
export const MENU = `${FOLDER}/extlinux.conf`

/** A guest's path as EXTLINUX sees it, which reads one file system only: a partition, and a path inside it. */
export interface Location {
  readonly partition: PlannedPartition
  readonly path: string
}

/**
 * @param path absolute in the guest
 * @throws C2M_EXTLINUX_NO_ROOT when the plan has no file system that holds it
 */
export function locate(disk: DiskPlan, path: string): Location {
  const holder = disk.partitions
    .map((partition) => ({ partition, mountpoint: partition.mountpoint ?? (partition.role === 'root' ? '/' : '') }))
    .filter(({ mountpoint }) => mountpoint === '/' || (mountpoint !== '' && `${path}/`.startsWith(`${mountpoint}/`)))
    .sort((a, b) => b.mountpoint.length - a.mountpoint.length)[0]
  if (holder === undefined) {
    throw extlinuxError(
      'C2M_EXTLINUX_NO_ROOT',
      `no partition of the disk holds ${path}`,
      'plan a partition that is mounted at /',
    )
  }
  const { partition, mountpoint } = holder
  const inside = mountpoint === '/' ? path : path.slice(mountpoint.length)
  return { partition, path: inside === '' ? '/' : inside }
}

/** The folder's partition. @throws C2M_EXTLINUX_FILESYSTEM when it is none that EXTLINUX is installed on here */
export function home(disk: DiskPlan): Location {
  const location = locate(disk, FOLDER)
  const { filesystem, number, role } = location.partition
  if (filesystem === 'ext4') return location
  throw extlinuxError(
    'C2M_EXTLINUX_FILESYSTEM',
    `EXTLINUX is installed on ext4, and ${FOLDER} is on partition ${number} (${role}) with ${filesystem ?? 'no file system'}`,
    'leave /boot on the root or give it an ext4 of its own (--boot-size)',
  )
}
