import { allRecords } from '../accounts/colon-file.js'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { relativePath } from '../files/paths.js'

const MOST = 5000
/** Homes of system accounts that are nobody's. */
const SHARED = /^(?:|bin|sbin|dev|proc|sys|run|etc|usr|usr\/s?bin|nonexistent|var|var\/empty|tmp)$/

/**
 * Homes of all accounts in passwd(5), with what their links lead to; relative paths. /root and those in /home count also
 * when no account has them any more.
 */
export async function homes(reader: ConfigurationReader): Promise<readonly string[]> {
  const named = allRecords((await reader.text('/etc/passwd')) ?? '').map((record) => record[5] ?? '')
  const inHome = (await reader.list('home')).map((name) => `/home/${name}`)
  const found = new Set<string>()
  for (const home of ['/root', ...inHome.slice(0, MOST), ...named.slice(0, MOST)]) {
    if (!home.startsWith('/') || home.length > 1000 || home.includes('\0')) continue
    const place = await reader.rootfs.resolve(relativePath(home))
    for (const path of [relativePath(home), place]) {
      if (path !== undefined && !SHARED.test(path) && !path.split('/').includes('..')) found.add(path)
    }
  }
  return [...found]
}
