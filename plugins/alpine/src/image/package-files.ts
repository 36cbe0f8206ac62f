import { readText, TEXT_LIMITS } from '@c2m/linux'
import type { Rootfs } from '@c2m/plugin-api'

/** apk's list of what it installed: apk-tools 2's place, and 3's on a merged /usr. */
export const DATABASES = ['lib/apk/db/installed', 'usr/lib/apk/db/installed']

const MOST_PATHS = 5_000_000
/** Where busybox's trigger puts a link for each of its programs. */
const PROGRAMS = ['bin', 'sbin', 'usr/bin', 'usr/sbin']

/** Paths by package, as the database spells them (apk-tools' database.c: P: package, F: directory, R: file in it). */
export async function filesByPackage(rootfs: Rootfs): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for (const database of DATABASES) {
    let files: string[] = []
    let folder: string | undefined = ''
    for (const line of ((await readText(rootfs, database, TEXT_LIMITS.packageDatabase)) ?? '').split('\n')) {
      const value = line.slice(2)
      if (line.startsWith('P:')) found.set(value, (files = []))
      if (line.startsWith('F:')) {
        folder = value === '' || isPath(value) ? value : undefined
        if (folder !== undefined) files.push(folder)
      }
      if (line.startsWith('R:') && folder !== undefined && isPath(value)) {
        files.push(folder === '' ? value : `${folder}/${value}`)
      }
    }
    // the second one is the first one where /lib is a link
    if (found.size > 0) break
  }
  return found
}

/** All paths that apk put there, as the tree spells them, and busybox's links. */
export async function packageFiles(rootfs: Rootfs, warn: (message: string) => void): Promise<ReadonlySet<string>> {
  const files = new Set<string>([''])
  const folders = new Map<string, string | undefined>()
  for (const paths of (await read(rootfs, warn)).values()) {
    for (const path of paths) {
      const slash = path.lastIndexOf('/')
      const folder = path.slice(0, Math.max(slash, 0))
      if (!folders.has(folder)) folders.set(folder, await rootfs.resolve(folder))
      const real = folders.get(folder)
      if (real !== undefined) files.add(real === '' ? path.slice(slash + 1) : `${real}/${path.slice(slash + 1)}`)
      if (files.size > MOST_PATHS) {
        warn(`apk's database names more than ${MOST_PATHS} paths; the others do not count as packages'`)
        return files
      }
    }
  }
  for (const folder of PROGRAMS) {
    for (const name of await rootfs.list(folder)) {
      const { linkTarget } = (await rootfs.stat(`${folder}/${name}`)) ?? {}
      if (linkTarget === '/bin/busybox' || linkTarget === '/bin/bbsuid') files.add(`${folder}/${name}`)
    }
  }
  return files
}

async function read(rootfs: Rootfs, warn: (message: string) => void): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    return await filesByPackage(rootfs)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'C2M_INTERRUPTED') throw error
    warn(`apk's database is not looked at: ${error instanceof Error ? error.message : String(error)}`)
    return new Map()
  }
}

function isPath(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..')
}
