import { readText, relativePath, TEXT_LIMITS } from '@c2m/linux'
import type { Rootfs } from '@c2m/plugin-api'

/** Packages whose units make a boot. */
const BOOTING = ['dbus', 'systemd', 'udev']
const INFO = 'var/lib/dpkg/info'
/** Packages of kernels and firmware whose lists are read: a machine has some dozens. */
const MOST_LOOKS = 500
/** Of kernels, their modules, and firmware. */
const HARDWARE_FILES = /^(?:\/boot|(?:\/usr)?\/lib\/(?:modules|firmware))\/./

/**
 * Installed packages that lack units of theirs: images for containers often delete some (getty.target, systemd-udevd), and
 * apt does not notice.
 */
export async function damagedPackages(rootfs: Rootfs): Promise<readonly string[]> {
  const damaged: string[] = []
  for (const name of BOOTING) if (await lacksUnits(rootfs, name)) damaged.push(name)
  return damaged
}

/**
 * Installed packages of kernels and firmware whose files are gone: an image that was made of a machine has its whole package
 * database and none of what only a machine needs.
 */
export async function strippedPackages(rootfs: Rootfs): Promise<readonly string[]> {
  const lists = await rootfs.resolve(INFO)
  const stripped: string[] = []
  let looks = 0
  for (const file of lists === undefined ? [] : await rootfs.list(lists)) {
    const name = /^((?:linux-|firmware-|[a-z0-9]+-microcode)[^:]*)(?::[a-z0-9]+)?\.list$/.exec(file)?.[1]
    if (name === undefined || ++looks > MOST_LOOKS) continue
    if (await lacks(rootfs, file, HARDWARE_FILES)) stripped.push(name)
  }
  return stripped
}

function lacksUnits(rootfs: Rootfs, name: string): Promise<boolean> {
  return lacks(rootfs, `${name}.list`, /^(?:\/usr)?\/lib\/systemd\/system\//)
}

/** Whether a package lacks one of its files whose path matches. @param list dpkg's list of the package's paths */
async function lacks(rootfs: Rootfs, list: string, pattern: RegExp): Promise<boolean> {
  const text = (await readText(rootfs, `${INFO}/${list}`, TEXT_LIMITS.packageList)) ?? ''
  for (const path of text.split('\n')) {
    if (!pattern.test(path)) continue
    const folder = await rootfs.resolve(relativePath(path.slice(0, path.lastIndexOf('/'))))
    const file = path.slice(path.lastIndexOf('/') + 1)
    if (folder === undefined || (await rootfs.stat(`${folder}/${file}`)) === undefined) return true
  }
  return false
}
