import { compareVersions, exists } from '@c2m/linux'
import type { Match, OsRelease, Rootfs } from '@c2m/plugin-api'
import type { DistroData } from './distro.js'
import { releaseNumber } from './releases.js'

/**
 * The image is the distro itself, or says that it is like it, and dpkg's database is there.
 * @throws when the release is too old: that is a clearer answer than none
 */
export async function detect(data: DistroData, os: OsRelease, rootfs: Rootfs): Promise<Match | undefined> {
  const distance = os.id === data.id ? 0 : os.idLike.indexOf(data.id) + 1
  if (os.id !== data.id && distance === 0) return undefined
  if (distance > 0 && [os.id, ...os.idLike].some((id) => data.strangers.includes(id))) return undefined
  if (!(await exists(rootfs, 'var/lib/dpkg/status'))) return undefined
  const version = await releaseNumber(os, distance, rootfs, data)
  const [oldest] = data.releases
  if (version !== undefined && oldest !== undefined && compareVersions(version, oldest.version) < 0) {
    throw new Error(`${os.prettyName} is too old: ${data.name} ${oldest.name} is the oldest that can become a machine`)
  }
  return { distance, os, version }
}
