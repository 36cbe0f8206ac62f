import type { Rootfs } from '@c2m/plugin-api'
import { filesByPackage } from '../image/package-files.js'

/** Service scripts, and kernels. */
const NEEDED = /^(?:etc\/init\.d\/.|boot\/vmlinuz)/

/**
 * Installed packages that lack files without which no machine comes up, which apk does not notice: images that run OpenRC in
 * a container often delete service scripts (hwclock, hwdrivers, modules), and one made of a machine has no kernel.
 */
export async function damagedPackages(rootfs: Rootfs): Promise<readonly string[]> {
  const damaged: string[] = []
  for (const [name, files] of await filesByPackage(rootfs)) {
    for (const path of files.filter((one) => NEEDED.test(one))) {
      if ((await rootfs.stat(path)) !== undefined) continue
      damaged.push(name)
      break
    }
  }
  return damaged.filter((name) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)).sort()
}
