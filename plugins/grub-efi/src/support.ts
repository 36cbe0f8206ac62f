import type { BootTarget, DistroTraits, PartitionRequest, Verdict } from '@c2m/plugin-api'
import { ARCHITECTURES, machineOf } from './machine.js'
import { grubPackages } from './packages.js'

const MIB = 1 << 20

/** Where the EFI system partition is mounted. */
export const ESP = '/boot/efi'

export function supports({ architecture }: BootTarget, { packageManager }: DistroTraits): Verdict {
  if (machineOf(architecture) === undefined) {
    return {
      ok: false,
      because: `GRUB's EFI program for ${architecture} is not known`,
      hint: `the architectures are ${ARCHITECTURES.join(', ')}`,
    }
  }
  if (grubPackages({ packageManager, architecture, members: [] }) === undefined) {
    return {
      ok: false,
      because: `the names of GRUB's packages are not known for ${packageManager}`,
      hint: 'choose another boot loader, or add a plugin that knows them',
    }
  }
  return { ok: true }
}

/**
 * GRUB takes less than 1 MiB; FAT32 needs 65,525 clusters (33 MiB of the smallest). A computer keeps firmware updates
 * there too, and some firmware wants 512 MiB.
 */
export function partitions({ physical }: BootTarget): readonly PartitionRequest[] {
  return [{ role: 'esp', size: (physical ? 512 : 64) * MIB, mountpoint: ESP }]
}
