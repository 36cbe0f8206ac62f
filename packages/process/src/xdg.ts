import { homedir } from 'node:os'
import { join } from 'node:path'

/** c2m's cache folder: $C2M_CACHE_DIR, else $XDG_CACHE_HOME/c2m, else ~/.cache/c2m (XDG Base Directory Specification). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.C2M_CACHE_DIR) return env.C2M_CACHE_DIR
  const base = env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'c2m')
}
