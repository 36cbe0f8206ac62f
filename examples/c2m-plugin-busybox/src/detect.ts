import type { Match, OsRelease, Rootfs } from '@c2m/plugin-api'
import { isFile } from './files.js'

/** Databases of package managers: an image with one of them is another distribution, whose plugin knows more of it. */
const DATABASES = ['lib/apk', 'usr/lib/apk', 'usr/lib/opkg', 'var/lib/dpkg', 'var/lib/pacman', 'var/lib/rpm']

/** BusyBox's image has no os-release, so c2m calls it 'linux'. It is known by its program, and by what is not there. */
export async function detect(os: OsRelease, rootfs: Rootfs): Promise<Match | undefined> {
  if (os.id !== 'linux' && os.id !== 'busybox') return undefined
  if (!(await isFile(rootfs, 'bin/busybox'))) return undefined
  for (const path of DATABASES) if ((await rootfs.resolve(path)) !== undefined) return undefined
  return { distance: 0, os: { ...os, id: 'busybox', prettyName: 'BusyBox' } }
}
