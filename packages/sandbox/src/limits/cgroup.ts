import { mkdtemp, readFile, readdir, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { C2mError, ExitCode, errno, findAbandoned, parseMountinfo, requireTool, ownMark } from '@c2m/process'

/** What a command may use at most. */
export interface Limits {
  /** Bytes, swap included. */
  readonly memory?: number
  /** Processors, e.g. 1.5. */
  readonly cpus?: number
  /** Processes and threads, the sandbox's own included. */
  readonly pids?: number
}

/** A group of processes under limits; disposing ends what is left in it. */
export interface ControlGroup extends AsyncDisposable {
  readonly path: string
}

const PREFIX = 'c2m-sandbox'
/** Microseconds in which a share of the processors is counted (cgroup-v2.rst, cpu.max). */
const PERIOD = 100_000

/**
 * Makes a group of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst) beside or above this process's own one: there where
 * the controllers are handed down and this user may make groups, which is anywhere for root and what was delegated to
 * him for an ordinary user. What killed runs left there is swept.
 * @throws C2M_CGROUP (exit code 3) when this host or this user's place in it does not allow it
 */
export async function openControlGroup(limits: Limits): Promise<ControlGroup | undefined> {
  const files = limitFiles(limits)
  if (files.length === 0) return undefined
  const controllers = [...new Set(files.map(([name]) => name.slice(0, name.indexOf('.'))))]
  const parent = await findParent(controllers)
  for (const left of await findAbandoned(parent, PREFIX)) await removeGroup(left)
  const path = await mkdtemp(join(parent, `${PREFIX}.${await ownMark()}.`)).catch((error: unknown) => {
    throw refused(`no group can be made in ${parent} (${errno(error) ?? 'failed'})`, error)
  })
  try {
    for (const [name, value, optional] of files) {
      await writeFile(join(path, name), value).catch((error: unknown) => {
        // a kernel without swap accounting has no such file
        if (optional !== true) throw refused(`${name} cannot be set to ${value}`, error)
      })
    }
  } catch (error) {
    await removeGroup(path)
    throw error
  }
  return { path, [Symbol.asyncDispose]: () => removeGroup(path) }
}

/** Prefix of a host program: it puts itself into the group before it becomes what follows. */
export async function joining(group: ControlGroup | undefined): Promise<readonly string[]> {
  if (group === undefined) return []
  const sh = await requireTool('sh', 'the sandbox', 'dash')
  return [sh, '-c', 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"', 'c2m', group.path]
}

type LimitFile = readonly [name: string, value: string, optional?: boolean]

export function limitFiles({ memory, cpus, pids }: Limits): LimitFile[] {
  const files: LimitFile[] = []
  if (memory !== undefined) files.push(['memory.max', String(memory)], ['memory.swap.max', '0', true])
  if (cpus !== undefined) files.push(['cpu.max', `${Math.max(Math.round(cpus * PERIOD), 1000)} ${PERIOD}`])
  if (pids !== undefined) files.push(['pids.max', String(pids)])
  return files
}

/** The nearest group, upwards from this process's own, that hands the controllers down to groups in it. */
async function findParent(controllers: readonly string[]): Promise<string> {
  const [mountinfo, own] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/self/cgroup', 'utf8'),
  ])
  const place = ownGroup(mountinfo, own)
  if (place === undefined) throw refused('this host has no cgroup v2 file system mounted')
  let lacking = ''
  for (let path = place.path; ; path = dirname(path)) {
    const enabled = (await readFile(join(path, 'cgroup.subtree_control'), 'utf8').catch(() => '')).split(/\s+/)
    const missing = controllers.filter((name) => !enabled.includes(name))
    if (missing.length === 0) return path
    lacking = missing.join(' and ')
    if (path === place.mount || path === '/') break
  }
  const where = place.path === place.mount ? `in ${place.mount}` : `anywhere from ${place.path} to ${place.mount}`
  throw refused(`the controller ${lacking} of cgroup v2 is not handed down ${where}`)
}

/**
 * Where this process's group of cgroup v2 is (cgroups(7), "/proc/[pid]/cgroup": the line of hierarchy 0; proc(5),
 * mountinfo: the mount whose type is cgroup2).
 */
export function ownGroup(mountinfo: string, cgroup: string): { mount: string; path: string } | undefined {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1]
  const mounted = parseMountinfo(mountinfo).find(({ type }) => type === 'cgroup2')
  if (own === undefined || mounted === undefined) return undefined
  const { root, target: mount } = mounted
  const below = relative(root, own)
  // a group outside what is mounted can only be reached from the mount's own root
  return { mount, path: below.startsWith('..') ? mount : join(mount, below) }
}

/** Ends what is in it; a group can be removed when the last process is gone for good. */
async function removeGroup(path: string): Promise<void> {
  await writeFile(join(path, 'cgroup.kill'), '1').catch(() => undefined)
  for (const name of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (name.isDirectory()) await removeGroup(join(path, name.name))
  }
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      await rmdir(path)
      return
    } catch (error) {
      if (errno(error) !== 'EBUSY') return
      await sleep(20)
    }
  }
}

function refused(because: string, cause?: unknown): C2mError {
  return new C2mError('C2M_CGROUP', `the limits cannot be set: ${because}`, {
    hint: 'as an ordinary user, run it in a scope of your own: systemd-run --user --scope -p Delegate=yes c2m shell …; or leave the limits out',
    exitCode: ExitCode.missing,
    cause,
  })
}
