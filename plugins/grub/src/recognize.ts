import type { FoundDisk } from '@c2m/plugin-api'

/** boot.S: what GRUB's first sector prints when it starts, and stands in it as text. */
const BANNER = 'GRUB'

/** GRUB's boot code in the first sector. */
export function recognizeBootSector({ bootSector }: FoundDisk): string | undefined {
  const code = Buffer.from(bootSector).subarray(0, 440)
  return code.includes(BANNER) ? 'its boot code is in the first sector' : undefined
}

/** GRUB's modules for UEFI, which grub-install puts beside its menu. */
export async function recognizeEfi({ rootfs }: FoundDisk): Promise<string | undefined> {
  for (const platform of ['x86_64-efi', 'arm64-efi', 'i386-efi']) {
    if ((await rootfs.stat(`boot/grub/${platform}`)) !== undefined) return `its modules are in /boot/grub/${platform}`
  }
  return undefined
}
