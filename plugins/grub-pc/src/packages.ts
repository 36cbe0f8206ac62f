import type { BootTask } from '@c2m/plugin-api'

/**
 * Package names by package manager; undefined when it is not known. Of grub-pc and grub-efi-amd64, which conflict,
 * apt gets grub-pc on a disk with both, and the other member asks for its platform's modules only.
 */
export function grubPackages(packageManager: BootTask['packageManager']): readonly string[] | undefined {
  const names: Readonly<Record<string, readonly string[]>> = { apt: ['grub-pc'], apk: ['grub', 'grub-bios'] }
  return Object.hasOwn(names, packageManager) ? names[packageManager] : undefined
}

/**
 * A disk that was made as a file has no device name that stays, so upgrades of the package leave the boot code alone
 * (it needs nothing of the package) instead of asking, or failing where nobody can answer.
 */
export const DEBCONF_ANSWERS = [
  'grub-pc grub-pc/install_devices multiselect ',
  'grub-pc grub-pc/install_devices_empty boolean true',
] as const
