import { C2mError, usageError } from '@c2m/process'
import { SECTOR } from '../block/units.js'
import type { BlockDevice, DeviceUse } from './block-device.js'

const GIB = 2 ** 30
const MIB = 2 ** 20

/** '/dev/sdb (SanDisk Ultra, serial 4C53, 28.6 GiB)' */
export function describeDevice({ path, model, serial, size }: BlockDevice): string {
  const bytes = size >= GIB ? `${(size / GIB).toFixed(1)} GiB` : `${(size / MIB).toFixed(1)} MiB`
  return `${path} (${[model, serial === undefined ? undefined : `serial ${serial}`, bytes].filter(Boolean).join(', ')})`
}

/**
 * Whether a device may become a machine's disk. It says nothing of what is on it, and the kernel has the last word: a device
 * that somebody holds cannot be opened for writing.
 * @throws C2M_DEVICE_PARTITION, C2M_DEVICE_EMPTY, C2M_DEVICE_SYSTEM, C2M_DEVICE_IN_USE, C2M_DEVICE_READ_ONLY,
 *   C2M_DEVICE_SECTORS (exit code 2)
 */
export function checkDevice(device: BlockDevice): void {
  const { path, partitionOf, size, uses, readOnly, sectorSize } = device
  const shown = describeDevice(device)
  if (partitionOf !== undefined) {
    throw usageError(
      'C2M_DEVICE_PARTITION',
      `${path} is a partition of ${partitionOf}, and a machine needs a whole disk`,
      `name the disk, /dev/${partitionOf}, if all that is on it may go`,
    )
  }
  if (size === 0) {
    throw usageError('C2M_DEVICE_EMPTY', `${path} has no medium`, 'insert one, or name another device')
  }
  if (uses.some((use) => use.by === 'mount' && use.target === '/')) {
    throw usageError(
      'C2M_DEVICE_SYSTEM',
      `${shown} is the disk that this system runs from: ${describeUses(uses)}`,
      'name another device; lsblk lists them',
    )
  }
  if (uses.length > 0) throw deviceInUse(shown, describeUses(uses))
  if (readOnly) {
    throw usageError('C2M_DEVICE_READ_ONLY', `${shown} is read-only`, 'look for a switch on it, or at blockdev --getro')
  }
  if (sectorSize !== SECTOR) {
    throw usageError(
      'C2M_DEVICE_SECTORS',
      `${shown} has sectors of ${sectorSize} bytes; c2m writes partition tables for sectors of ${SECTOR}`,
      'use another disk; some can be formatted to 512-byte sectors (nvme format, hdparm --set-sector-size)',
    )
  }
}

/** @param because who uses it, as far as that is known */
export function deviceInUse(shown: string, because: string, cause?: unknown): C2mError {
  return new C2mError('C2M_DEVICE_IN_USE', `${shown} is in use: ${because}`, {
    hint: 'unmount it, swapoff, vgchange -an, cryptsetup close or mdadm --stop, or name another device',
    exitCode: 2,
    cause,
  })
}

function describeUses(uses: readonly DeviceUse[]): string {
  return uses
    .map((use) => {
      if (use.by === 'mount') return `${use.name} is mounted on ${use.target}`
      return use.by === 'swap' ? `${use.name} is a swap area` : `${use.name} is a part of ${use.holder}`
    })
    .join(', ')
}
