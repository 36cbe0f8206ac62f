import { compareVersions, exists, parseVersion, readText } from '@c2m/linux'
import type { Match, OsRelease, Rootfs } from '@c2m/plugin-api'
import type { DistroData } from './distro.js'
import { DATABASES } from './image/package-files.js'

/**
 * The image is the distro itself, or says that it is like it, and apk's database is there.
 * @throws when the release is too old: that is a clearer answer than none
 */
export async function detect(data: DistroData, os: OsRelease, rootfs: Rootfs): Promise<Match | undefined> {
  const distance = os.id === data.id ? 0 : os.idLike.indexOf(data.id) + 1
  if (os.id !== data.id && distance === 0) return undefined
  if (distance > 0 && [os.id, ...os.idLike].some((id) => data.strangers.includes(id))) return undefined
  if (!(await hasDatabase(rootfs))) return undefined
  const version = await releaseNumber(os, distance, rootfs)
  const [oldest] = data.releases
  if (version !== undefined && oldest !== undefined && compareVersions(version, oldest.version) < 0) {
    throw new Error(
      `${os.prettyName} is too old: ${data.name} ${oldest.version.join('.')} is the oldest that can become a machine`,
    )
  }
  return { distance, os, version }
}

async function hasDatabase(rootfs: Rootfs): Promise<boolean> {
  for (const path of DATABASES) if (await exists(rootfs, path)) return true
  return false
}

/** '3.19.4'; between releases '3.22_alpha20250108', which is the rolling one. A derivative's number is in /etc/alpine-release. */
async function releaseNumber(os: OsRelease, distance: number, rootfs: Rootfs): Promise<readonly number[] | undefined> {
  if (distance === 0) return parseVersion(os.versionId)
  return parseVersion((await readText(rootfs, 'etc/alpine-release', 1024))?.trim())
}
