import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Temporary folders are named `<prefix>.<pid>.<start time>.XXXXXX`, so that the next run can tell whose they are and
 * sweep what a killed run left.
 */
export async function makeTemporaryFolder(parent: string, prefix: string): Promise<TemporaryFolder> {
  await mkdir(parent, { recursive: true })
  const path = await mkdtemp(join(parent, `${prefix}.${process.pid}.${await startTime(process.pid)}.`))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The same, after what killed runs left under that prefix is gone, unless it is another user's. */
export async function makeSweptFolder(parent: string, prefix: string): Promise<TemporaryFolder> {
  for (const left of await findAbandoned(parent, prefix))
    await rm(left, { recursive: true, force: true }).catch(() => undefined)
  return makeTemporaryFolder(parent, prefix)
}

/** A folder of this run in the cache. */
export function makeCacheFolder(cache: string): Promise<TemporaryFolder> {
  return makeSweptFolder(join(cache, 'temporary'), 'run')
}

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** Names in `parent` that match `<prefix>.<pid>.<start time>.…` and whose process is gone. */
export async function findAbandoned(parent: string, prefix: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => [])
  const abandoned: string[] = []
  for (const name of names) {
    const owner = parseOwner(name, prefix)
    if (owner !== undefined && (await startTime(owner.pid)) !== owner.started) abandoned.push(join(parent, name))
  }
  return abandoned
}

function parseOwner(name: string, prefix: string): { pid: number; started: string } | undefined {
  if (!name.startsWith(`${prefix}.`)) return undefined
  const [pid, started] = name.slice(prefix.length + 1).split('.')
  if (pid === undefined || started === undefined || !/^\d+$/.test(pid) || !/^\d+$/.test(started)) return undefined
  return { pid: Number(pid), started }
}

/** Clock ticks since boot at which a process started (proc(5), /proc/pid/stat field 22); '0' when it is gone or unknown. */
export async function startTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    // the command name may hold blanks and parentheses; what follows the last ')' begins with field 3
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}
