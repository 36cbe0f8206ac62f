import { readText, relativePath, TEXT_LIMITS } from '@c2m/linux'
import type { Rootfs } from '@c2m/plugin-api'

const INFO = 'var/lib/dpkg/info'
const DIVERSIONS = 'var/lib/dpkg/diversions'
const MOST_PATHS = 5_000_000
/** Characters of all lists: those of 10,000 packages have a third. */
const MOST_TEXT = 256 * 1024 * 1024

/**
 * All paths that dpkg knows (dpkg-query -L of every package), as the tree spells them: a package's /bin/ls is at usr/bin/ls
 * where /bin is a link, and one that was diverted is where it was diverted to.
 */
export async function packageFiles(rootfs: Rootfs, warn: (message: string) => void): Promise<ReadonlySet<string>> {
  const files = new Set<string>()
  const diversions = await readDiversions(rootfs, warn)
  const folders = new Map<string, string | undefined>()
  const spell = async (path: string): Promise<string | undefined> => {
    const name = relativePath(path)
    const slash = name.lastIndexOf('/')
    if (slash < 0) return name
    const folder = name.slice(0, slash)
    if (!folders.has(folder)) folders.set(folder, await rootfs.resolve(folder))
    const real = folders.get(folder)
    return real === undefined ? undefined : `${real}${name.slice(slash)}`
  }
  let left = MOST_TEXT
  for (const list of await rootfs.list(INFO)) {
    const owner = /^([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9-]+)?\.list$/.exec(list)?.[1]
    if (owner === undefined) continue
    const paths = await text(rootfs, `${INFO}/${list}`, warn)
    left -= paths.length
    if (left < 0) {
      warn(`dpkg's lists have more than ${MOST_TEXT} characters; what the others name does not count as packages'`)
      return files
    }
    for (const line of paths.split('\n')) {
      if (!line.startsWith('/') || line.includes('\0') || line.split('/').includes('..')) continue
      const diversion = diversions.get(line)
      const path = diversion === undefined || diversion.by === owner ? line : diversion.to
      const real = path === '/.' ? '' : await spell(path)
      if (real !== undefined) files.add(real)
      if (files.size > MOST_PATHS) {
        warn(`dpkg's lists name more than ${MOST_PATHS} paths; the others do not count as packages'`)
        return files
      }
    }
  }
  return files
}

/** dpkg-divert(1)'s database: three lines each, the path, where it went, and whose own file stays (':' nobody's). */
async function readDiversions(
  rootfs: Rootfs,
  warn: (message: string) => void,
): Promise<ReadonlyMap<string, { readonly to: string; readonly by: string }>> {
  const lines = (await text(rootfs, DIVERSIONS, warn)).split('\n')
  const found = new Map<string, { to: string; by: string }>()
  for (let at = 0; at + 2 < lines.length; at += 3) found.set(lines[at]!, { to: lines[at + 1]!, by: lines[at + 2]! })
  return found
}

async function text(rootfs: Rootfs, path: string, warn: (message: string) => void): Promise<string> {
  try {
    return (await readText(rootfs, path, TEXT_LIMITS.packageList)) ?? ''
  } catch (error) {
    if ((error as { code?: unknown }).code === 'C2M_INTERRUPTED') throw error
    warn(
      `${JSON.stringify(path.slice(0, 200))} is not looked at: ${error instanceof Error ? error.message : String(error)}`,
    )
    return ''
  }
}
