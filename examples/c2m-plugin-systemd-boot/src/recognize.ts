import type { FoundDisk } from '@c2m/plugin-api'
import { UPDATER } from './upkeep.js'

/** Where an EFI system partition is mounted, by one custom or the other. */
const MOUNT_POINTS = ['boot/efi', 'efi', 'boot']

/** Its program, on an ESP that can be read; else what keeps that up to date. */
export async function recognize({ rootfs }: FoundDisk): Promise<string | undefined> {
  for (const place of MOUNT_POINTS) {
    const names = await rootfs.list(`${place}/EFI/systemd`)
    const program = names.find((name) => /^systemd-boot[a-z0-9]+\.efi$/i.test(name))
    if (program !== undefined) return `its program is /${place}/EFI/systemd/${program}`
  }
  const hasUpdater = (await rootfs.stat(UPDATER.slice(1)))?.type === 'file'
  return hasUpdater ? `its menu is kept up to date by ${UPDATER}` : undefined
}
