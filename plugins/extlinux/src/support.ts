import type { BootTarget, Verdict } from '@c2m/plugin-api'

export const ARCHITECTURES = ['amd64', '386'] as const

/** mke2fs's names: versions before 6.04 take the group descriptors for 32 bytes long. */
export const UNREADABLE_FEATURES = ['64bit'] as const

/** On the root, and on a /boot of its own; the loader may also have been installed for its relatives' folders. */
export const MENUS = [
  ...['boot/extlinux/extlinux.conf', 'extlinux/extlinux.conf'],
  ...['boot/extlinux.conf', 'extlinux.conf', 'boot/syslinux/syslinux.cfg', 'syslinux/syslinux.cfg'],
] as const

export function supports({ architecture }: BootTarget): Verdict {
  if (ARCHITECTURES.some((known) => known === architecture)) return { ok: true }
  return {
    ok: false,
    because: `${architecture} machines have no BIOS`,
    hint: 'choose a boot loader for UEFI',
  }
}
