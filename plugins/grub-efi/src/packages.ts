import type { BootTask } from '@c2m/plugin-api'
import { machineOf, type Machine } from './machine.js'

export type PackageQuestion = Pick<BootTask, 'packageManager' | 'architecture' | 'members'>

/**
 * Package names by package manager; undefined when it is not known. apt's grub-efi-* conflicts with grub-pc, so on a
 * disk with both GRUB for BIOS brings update-grub and the kernel's hook, and only the modules (-bin) are asked for here.
 */
export function grubPackages({
  packageManager,
  architecture,
  members,
}: PackageQuestion): readonly string[] | undefined {
  const machine = machineOf(architecture)
  if (machine === undefined) return undefined
  if (packageManager === 'apt') return [members.includes('grub-pc') ? `${machine.aptPackage}-bin` : machine.aptPackage]
  if (packageManager === 'apk') return ['grub', 'grub-efi', 'efibootmgr']
  return undefined
}

/** Upgrades of the package that write EFI/<os> also write EFI/BOOT, so that modules and both programs stay of one version. */
export function debconfAnswers(machine: Machine): readonly string[] {
  return [`${machine.aptPackage} grub2/force_efi_extra_removable boolean true`]
}
