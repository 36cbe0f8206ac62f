/** A GRUB target as grub-mkimage(1) and grub-install(8) name it. */
export type Platform = 'i386-pc' | 'x86_64-efi' | 'i386-efi' | 'arm64-efi'

/** Where a distro's packages put a platform's modules and images. */
export function packagedFolder(platform: Platform): string {
  return `/usr/lib/grub/${platform}`
}

/** Where GRUB looks for them when it runs. */
export function installedFolder(platform: Platform): string {
  return `/boot/grub/${platform}`
}

export const GRUB_FOLDER = '/boot/grub'

/** On the root, and on a /boot of its own. */
export const MENUS = ['boot/grub/grub.cfg', 'grub/grub.cfg', 'boot/grub2/grub.cfg', 'grub2/grub.cfg'] as const

/** GRUB's programs that look for the disk that / is on. */
export const DISK_COMMANDS = ['grub-install', 'grub-mkconfig', 'update-grub', 'update-grub2'] as const

/** Its folders, and services that keep count of boots. Packages' settings stay with the package database. */
export const TRACES = {
  files: ['/boot/{grub,grub2}'],
  services: ['grub-common', 'grub-initrd-fallback', 'grub-boot-indeterminate', 'grub2-systemd-integration'],
} as const

/** Ids of the boot loader plugins that share this package, in the order in which they speak for a disk. */
export const GRUB_MEMBERS = ['grub-pc', 'grub-efi'] as const
export type GrubMember = (typeof GRUB_MEMBERS)[number]

/** What both members share is written once: by the first of them that is on the disk. */
export function speaksForFamily(member: GrubMember, members: readonly string[]): boolean {
  return GRUB_MEMBERS.find((candidate) => members.includes(candidate)) === member
}
