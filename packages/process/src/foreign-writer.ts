import { constants, type Stats } from 'node:fs'
import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from './run.js'

/**
 * Why somebody other than this user and root could have written what lies at a path, or could put something else there;
 * undefined when nobody can. As in sshd's StrictModes, every directory up to the root is looked at, since who may rename
 * one in it decides what the path means. Unlike there, a sticky directory such as /tmp may be on the way: what this user
 * has in it, others cannot rename.
 *
 * The walk begins at the root, so what was found to be ours cannot be exchanged by others while it goes on, nor later.
 *
 * @param path absolute, without symbolic links
 */
export async function foreignWriter(path: string): Promise<string | undefined> {
  const found: Entry[] = []
  for (const one of [...ancestors(path).reverse(), path])
    found.push({ path: one, stats: await lstat(one), leadsOn: one !== path })
  return foreignEntry(found)
}

/** The same of one file whose directory is ours, by what stat(2) said of it. */
export function foreignWriterOf(path: string, stats: Stats): Promise<string | undefined> {
  return foreignEntry([{ path, stats }])
}

/** Entries of a tree that are looked at. */
const MAX_ENTRIES = 20_000

/** The same of everything in a directory that is ours, but not in directories of the names in `skip`. */
export async function foreignWriterWithin(folder: string, skip: readonly string[]): Promise<string | undefined> {
  const found: Entry[] = []
  const folders = [folder]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const name of await readdir(next)) {
      const path = join(next, name)
      const stats = await lstat(path)
      if (found.length === MAX_ENTRIES) return `${folder} has more than ${MAX_ENTRIES} files`
      if (!stats.isSymbolicLink()) found.push({ path, stats })
      else {
        const target = await realpath(path).catch(() => undefined)
        const reason = target && (await foreignWriter(target))
        if (reason) return reason
      }
      if (stats.isDirectory() && !skip.includes(name)) folders.push(path)
    }
  }
  return foreignEntry(found)
}

/** The directories that a path leads through, the nearest first. */
export function ancestors(path: string): string[] {
  const above: string[] = []
  for (let one = path; dirname(one) !== one;) above.push((one = dirname(one)))
  return above
}

interface Entry {
  readonly path: string
  readonly stats: Stats
  /** It is there for one of its entries only, which others cannot rename when it is sticky. */
  readonly leadsOn?: boolean
}

const STICKY = 0o1000

async function foreignEntry(entries: readonly Entry[]): Promise<string | undefined> {
  const trusted = trustedUsers()
  if (trusted === undefined) return undefined
  const ofPrivateGroups: string[] = []
  let groups: ReadonlySet<number> | undefined
  for (const { path, stats, leadsOn } of entries) {
    const { uid, gid, mode } = stats
    if (!trusted.includes(uid)) return `${path} belongs to user ${uid}`
    if (stats.isSymbolicLink()) return `${path} is a symbolic link`
    if (leadsOn === true && (mode & STICKY) !== 0) continue
    if ((mode & constants.S_IWOTH) !== 0) return `everybody can write ${path}`
    if ((mode & constants.S_IWGRP) === 0) continue
    groups ??= await privateGroups(trusted)
    if (!groups.has(gid)) return `group ${gid} can write ${path}`
    ofPrivateGroups.push(path)
  }
  return ofPrivateGroups.length === 0 ? undefined : underAccessList(ofPrivateGroups)
}

/** This user, root, and for root under sudo who called it: what that user wants run as root, it could run itself. */
function trustedUsers(): readonly number[] | undefined {
  const me = process.getuid?.()
  if (me === undefined) return undefined
  const caller = /^\d+$/.test(process.env.SUDO_UID ?? '') ? [Number(process.env.SUDO_UID)] : []
  return [me, 0, ...(me === 0 ? caller : [])]
}

/**
 * Groups of one user only that have the user's name, as useradd(8) makes them (USERGROUPS_ENAB) for a umask of 002. Not
 * root's, whose umask is 022 everywhere. A group that no local file knows may have anybody in it.
 */
async function privateGroups(users: readonly number[]): Promise<ReadonlySet<number>> {
  const [accounts, groups] = await Promise.all([readTable('/etc/passwd'), readTable('/etc/group')])
  const own = accounts.filter(([, , uid]) => uid !== '0' && users.includes(Number(uid)))
  const isPrivate = ([name = '', , , gid]: readonly string[]) =>
    accounts.every((other) => other[3] !== gid || other[0] === name) &&
    groups.some((group) => group[0] === name && group[2] === gid) &&
    groups.every((group) => group[2] !== gid || ['', name].includes(group[3] ?? ''))
  return new Set(own.filter(isPrivate).map(([, , , gid]) => Number(gid)))
}

async function readTable(file: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').map((line) => line.split(':'))
}

/**
 * In the mode of a file with an access control list, the group's bits are the most that any of its entries allows
 * (acl(5)). Node cannot read such lists; ls(1) of coreutils marks the files that have one with '+'.
 */
async function underAccessList(paths: readonly string[]): Promise<string | undefined> {
  for (let start = 0; start < paths.length; start += 500) {
    const some = paths.slice(start, start + 500)
    const listed = await run('ls', ['-ldn', '--', ...some]).catch(() => undefined)
    if (listed === undefined) return `ls cannot tell who can write ${some[0]}`
    const line = listed.stdout.split('\n').find((one) => /^[^ ]{10,}\+ /.test(one))
    if (line !== undefined) return `its access control list may let others write ${line.slice(line.indexOf('/'))}`
  }
  return undefined
}
