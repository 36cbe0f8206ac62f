import type { DiskPlan } from '@c2m/plugin-api'
import { grubError } from '@c2m/grub'
import { SECTOR } from './boot-code.js'

/** Where core.img goes. */
export interface Placement {
  /** Of its first sector, on the disk. */
  readonly lba: number
  /** Bytes that are free from there on. */
  readonly room: number
  /** The role of the partition that holds it; undefined: the gap between MBR and first partition. */
  readonly partition: 'bios-boot' | undefined
}

/** @throws C2M_GRUB_NO_BIOS_BOOT */
export function placeCore(disk: DiskPlan): Placement {
  if (disk.table === 'mbr') {
    const first = Math.min(...disk.partitions.map(({ firstLba }) => firstLba))
    return { lba: 1, room: Math.max(Number.isFinite(first) ? (first - 1) * SECTOR : 0, 0), partition: undefined }
  }
  const partition = disk.partitions.find(({ role }) => role === 'bios-boot')
  if (partition !== undefined) return { lba: partition.firstLba, room: partition.size, partition: 'bios-boot' }
  throw grubError(
    'C2M_GRUB_NO_BIOS_BOOT',
    'the GPT disk has no BIOS boot partition for GRUB',
    'plan one of 1 MiB, or use --partition-table mbr',
  )
}
