import { statSync } from 'node:fs'
import { chmod, lstat, mkdir, stat } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { C2mError, errno } from './errors.js'
import { makeSweptFolder, type TemporaryFolder } from './temporary.js'
import { findUntrusted, isPrivate, type Untrusted } from './trust.js'

/** c2m's cache folder: $C2M_CACHE_DIR, else $XDG_CACHE_HOME/c2m, else ~/.cache/c2m (XDG Base Directory Specification). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.C2M_CACHE_DIR) return env.C2M_CACHE_DIR
  const base = env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(ownHome(), '.cache'), 'c2m')
}

/** $HOME, unless that is another user's, as with sudo -E: what root reads there the other one could have put there. */
function ownHome(): string {
  const home = homedir()
  try {
    return statSync(home).uid === process.getuid?.() ? home : userInfo().homedir
  } catch {
    return home // not there yet, or a user that /etc/passwd does not have
  }
}

/**
 * What is in the cache is believed, run and deleted, so it must be a directory that nobody else can write or put another one
 * in the place of.
 * @returns whether it exists
 * @throws C2M_CACHE_UNSAFE
 */
export async function checkCacheFolder(cache: string): Promise<boolean> {
  const untrusted = await findUntrusted(cache)
  if (untrusted !== undefined) throw unsafe(cache, untrusted)
  const found = await stat(cache).catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return false
  if (found.isDirectory() && !isPrivate(found)) {
    const isOwn = found.uid === process.getuid?.()
    const because = isOwn ? 'can be written by others' : `belongs to user ${found.uid}`
    throw unsafe(cache, { path: cache, because })
  }
  return true
}

/**
 * A folder in the cache, made when it is missing, that only this user can enter.
 * @throws C2M_CACHE_UNSAFE; system errors
 */
export async function makeCacheSubfolder(cache: string, ...names: string[]): Promise<string> {
  let folder = cache
  for (const name of ['', ...names]) {
    folder = join(folder, name)
    if (!(await checkCacheFolder(folder))) await mkdir(folder, { recursive: true, mode: 0o700 })
    const found = await lstat(folder)
    // one of an earlier version may be open to others
    if (name !== '' && found.isDirectory() && (found.mode & 0o077) !== 0) await chmod(folder, found.mode & 0o700)
  }
  return folder
}

/** A folder of this run in the cache. @throws C2M_CACHE_UNSAFE; system errors */
export async function makeCacheFolder(cache: string): Promise<TemporaryFolder> {
  return makeSweptFolder(await makeCacheSubfolder(cache, 'temporary'), 'run')
}

function unsafe(cache: string, { path, because }: Untrusted): C2mError {
  const which = resolve(path) === resolve(cache) ? 'it' : path
  return new C2mError('C2M_CACHE_UNSAFE', `the cache ${cache} cannot be trusted: ${which} ${because}`, {
    hint: 'name a directory in C2M_CACHE_DIR that only you can write; under sudo, leave out -E',
  })
}
