import { readFileSync, type Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { errno } from './errors.js'

/** Bits of st_mode (inode(7)). */
const GROUP_WRITE = 0o020
const OTHERS_WRITE = 0o002
const STICKY = 0o1000
/** path_resolution(7). */
const MAX_LINKS = 40

/** A part of a path, and why others can change what the path names, e.g. 'belongs to user 1000'. */
export interface Untrusted {
  readonly path: string
  readonly because: string
}

/**
 * The first part of the path that somebody else than this user and root can change; undefined when nobody can. What does not
 * exist is not looked at.
 */
export async function findUntrusted(path: string): Promise<Untrusted | undefined> {
  for await (const part of partsOf(path)) {
    const because = distrust(part.stats)
    if (because !== undefined) return { path: part.path, because }
  }
  return undefined
}

function distrust(stats: Stats): string | undefined {
  if (stats.uid !== process.getuid?.() && !isRoot(stats.uid)) {
    return stats.isSymbolicLink() ? `is a link of user ${stats.uid}` : `belongs to user ${stats.uid}`
  }
  // in a sticky directory nobody renames or deletes what is another's
  const isShared = stats.isDirectory() && othersMayWrite(stats) && (stats.mode & STICKY) === 0
  return isShared ? 'can be written by others' : undefined
}

/**
 * Whether others than the owner may write. Of a group that is this user's alone, as many distributions have it together with
 * the umask 002, that does not count.
 */
export function othersMayWrite({ mode, gid }: Pick<Stats, 'mode' | 'gid'>): boolean {
  const uid = process.getuid?.()
  const isOwnGroup = uid !== 0 && gid === uid && gid === process.getgid?.() && !sharedGroups().has(gid)
  return (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITE) !== 0 && !isOwnGroup)
}

let shared: ReadonlySet<number> | undefined

/** Groups that have members beside those whose primary group they are (group(5)). */
function sharedGroups(): ReadonlySet<number> {
  shared ??= readSharedGroups()
  return shared
}

function readSharedGroups(): ReadonlySet<number> {
  try {
    const lines = readFileSync('/etc/group', 'utf8').split('\n')
    const groups = lines.map((line) => line.split(':'))
    return new Set(groups.flatMap(([name, , gid, members]) => (members && members !== name ? [Number(gid)] : [])))
  } catch {
    return new Set()
  }
}

/** Whether nobody but this user can have put something into the directory. */
export function isPrivate(stats: Stats): boolean {
  return stats.uid === process.getuid?.() && !othersMayWrite(stats)
}

/**
 * Links on the path that another user has put into a directory in which everybody may: what the kernel's
 * fs.protected_symlinks forbids (proc_sys_fs(5)), also where that is off.
 */
export async function findPlantedLink(path: string): Promise<Untrusted | undefined> {
  for await (const { path: link, stats } of partsOf(path)) {
    if (!stats.isSymbolicLink() || stats.uid === process.getuid?.() || isRoot(stats.uid)) continue
    const folder = await lstat(dirname(link))
    if ((folder.mode & STICKY) !== 0 && (folder.mode & OTHERS_WRITE) !== 0 && folder.uid !== stats.uid)
      return { path: link, because: `is a link of user ${stats.uid}` }
  }
  return undefined
}

interface PathPart {
  /** Without links above its last part. */
  readonly path: string
  readonly stats: Stats
}

/** Everything that has a say in where a path leads: directories, links, and what the links lead through. */
async function* partsOf(path: string): AsyncGenerator<PathPart> {
  const left = ['/', ...resolve(path).split('/').filter(Boolean)]
  let at = '/'
  let links = 0
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '..') {
      at = dirname(at)
      continue
    }
    const next = name === '/' ? '/' : join(at, name)
    const stats = await lstat(next).catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return undefined
      throw error
    })
    if (stats === undefined) return
    yield { path: next, stats }
    if (!stats.isSymbolicLink()) {
      at = next
      continue
    }
    // whoever opens it says that it leads in circles
    if (++links > MAX_LINKS) return
    const target = await readlink(next)
    left.unshift(...(target.startsWith('/') ? ['/'] : []), ...target.split('/').filter(Boolean))
  }
}

/** In a user namespace that does not have the host's root, its files appear as those of 'nobody' (user_namespaces(7)). */
function isRoot(uid: number): boolean {
  return uid === 0 || uid === unmappedId()
}

let unmapped: { readonly id: number | undefined } | undefined

function unmappedId(): number | undefined {
  unmapped ??= { id: readUnmappedId() }
  return unmapped.id
}

function readUnmappedId(): number | undefined {
  try {
    const id = Number(readFileSync('/proc/sys/kernel/overflowuid', 'latin1'))
    const ranges = readFileSync('/proc/self/uid_map', 'latin1').trim().split('\n')
    const isMapped = ranges.some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return first <= id && id < first + count
    })
    return isMapped ? undefined : id
  } catch {
    return undefined
  }
}
