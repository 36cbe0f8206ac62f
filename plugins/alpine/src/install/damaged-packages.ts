import type { Rootfs } from '@c2m/plugin-api'
import { filesByPackage } from '../image/package-files.js'

/**
 * Installed packages that lack service scripts of theirs: images that run OpenRC in a container often delete some (hwclock,
 * hwdrivers, modules), and apk does not notice.
 */
export async function damagedPackages(rootfs: Rootfs): Promise<readonly string[]> {
  const damaged: string[] = []
  for (const [name, files] of await filesByPackage(rootfs)) {
    const scripts = files.filter((path) => /^etc\/init\.d\/./.test(path))
    for (const path of scripts) {
      if ((await rootfs.stat(path)) !== undefined) continue
      damaged.push(name)
      break
    }
  }
  return damaged.filter((name) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)).sort()
}
