import type { FoundDisk } from '@c2m/plugin-api'

/** The loader, which the partition's boot sector starts and only the installer puts there. */
const FOLDERS = ['boot/extlinux', 'boot/syslinux', 'boot']

export async function recognize({ rootfs }: FoundDisk): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    if ((await rootfs.stat(`${folder}/ldlinux.sys`))?.type === 'file') return `its loader is /${folder}/ldlinux.sys`
  }
  return undefined
}
