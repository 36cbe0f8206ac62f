import { readText, relativePath } from '@c2m/linux'
import type { Rootfs } from '@c2m/plugin-api'

/** Packages whose units make a boot. */
const BOOTING = ['dbus', 'systemd', 'udev']
const LIMIT = 4 * 1024 * 1024

/**
 * Installed packages that lack units of theirs: images for containers often delete some (getty.target, systemd-udevd), and
 * apt does not notice.
 */
export async function damagedPackages(rootfs: Rootfs): Promise<readonly string[]> {
  const damaged: string[] = []
  for (const name of BOOTING) if (await lacksUnits(rootfs, name)) damaged.push(name)
  return damaged
}

async function lacksUnits(rootfs: Rootfs, name: string): Promise<boolean> {
  const list = (await readText(rootfs, `var/lib/dpkg/info/${name}.list`, LIMIT)) ?? ''
  for (const path of list.split('\n')) {
    if (!/^(?:\/usr)?\/lib\/systemd\/system\//.test(path)) continue
    const folder = await rootfs.resolve(relativePath(path.slice(0, path.lastIndexOf('/'))))
    const file = path.slice(path.lastIndexOf('/') + 1)
    if (folder === undefined || (await rootfs.stat(`${folder}/${file}`)) === undefined) return true
  }
  return false
}
