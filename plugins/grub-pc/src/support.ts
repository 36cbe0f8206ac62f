import type { BootTarget, DistroTraits, PartitionRequest, Verdict } from '@c2m/plugin-api'
import { grubPackages } from './packages.js'

export const ARCHITECTURES = ['amd64', '386'] as const

export function supports(target: BootTarget, traits: DistroTraits): Verdict {
  if (!ARCHITECTURES.some((architecture) => architecture === target.architecture)) {
    return {
      ok: false,
      because: `${target.architecture} machines have no BIOS`,
      hint: 'use grub-efi',
    }
  }
  if (grubPackages(traits.packageManager) === undefined) {
    return {
      ok: false,
      because: `the names of GRUB's packages are not known for ${traits.packageManager}`,
      hint: 'choose another boot loader, or add a plugin that knows them',
    }
  }
  return { ok: true }
}

/** GPT leaves no gap for core.img, so it gets a partition; MBR has 1 MiB before the first one. */
export function partitions({ table }: BootTarget): readonly PartitionRequest[] {
  return table === 'gpt' ? [{ role: 'bios-boot', size: 1 << 20 }] : []
}
