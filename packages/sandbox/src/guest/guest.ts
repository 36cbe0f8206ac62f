import type { ExecStep } from '@c2m/plugin-api'
import { C2mError, interrupted, requireTool, startTime, throwIfAborted, type Reporter } from '@c2m/process'
import { randomBytes } from 'node:crypto'
import { release } from 'node:os'
import { hostPath, type Exit } from '../namespace/child.js'
import { EMPTY_DIRECTORIES, ENTER, MOUNT_OVERLAY, PUT_FILE, TAKE_FILE } from '../namespace/scripts.js'
import { failure, type Session } from '../namespace/session.js'
import type { SandboxTask } from '../sandbox.js'
import { GUEST_PATH, guestEnvironment } from './environment.js'
import { placeOf, settle, type Place, type TemporaryFile } from './temporary-file.js'

/** The tree with an overlay for changes, in which the image's programs run. */
export interface Guest {
  /** Puts a file there for the rest of the session. */
  put(file: TemporaryFile): Promise<void>
  /** @throws C2M_SANDBOX_STEP_FAILED, C2M_SANDBOX_FAILED, C2M_INTERRUPTED */
  exec(step: ExecStep): Promise<void>
  /** Whether changes are in memory and that is used up. */
  isFull(): Promise<boolean>
  /** Takes the temporary files and whatever does not belong into the layer out of the changes. */
  finish(): Promise<void>
}

export interface GuestOptions {
  readonly task: SandboxTask
  readonly baseName: string
  readonly cacheName: string
  readonly mapped: boolean
  readonly place: 'memory' | 'disk' | undefined
  /** Told the folder of the store that holds the changes, before it is made. */
  onWork(folder: string): void
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/** What exists only while a machine runs; only the directories themselves belong into a layer. */
const VOLATILE = ['proc', 'sys', 'dev', 'run', 'tmp']
/** Changes go to memory from so much on, and may take this part of it: the kernel's packages need about 1 GiB. */
const LEAST_MEMORY = 3 * 1024 ** 3
const MEMORY_SHARE = 0.6

/** $1 folder, $2 mode, $3 owner. */
const MAKE_CACHE = `
set -eu
cd /tmp/store
[ -d "$1" ] && exit 0
mkdir -p "$1"
chmod "$2" "$1"
chown "$3" "$1"
`

interface MountedCache {
  readonly folder: string
  readonly directory: string
}

/** @throws C2M_SANDBOX_FAILED, C2M_INTERRUPTED */
export async function openGuest(session: Session, options: GuestOptions): Promise<Guest> {
  const { task, reporter, signal } = options
  const [unshare, sh] = [
    await requireTool('unshare', 'the sandbox', 'util-linux'),
    await requireTool('sh', 'the sandbox', 'dash'),
  ]
  const memory = memorySize(options)
  await mountOverlay(session, memory, options)
  const caches = await makeCaches(session, options)
  const placed: { place: Place; key: string }[] = []

  const enter = [
    unshare,
    '--mount',
    '--pid',
    '--ipc',
    '--uts',
    '--cgroup',
    '--fork',
    '--kill-child',
    '--',
    sh,
    '-c',
    ENTER,
  ]
  const places = [String(caches.length), ...caches.flatMap(({ folder, directory }) => [folder, directory])]

  return {
    put: async (file) => {
      const place = await placeOf(task.base, file.path)
      const key = String(placed.length)
      const mode = (file.mode & 0o7777).toString(8)
      placed.push({ place, key })
      const argv = ['sh', '-c', PUT_FILE, 'c2m', place.directory, place.name, mode, key]
      await session.run(`put ${file.path} into the image`, argv, { input: file.content })
    },
    exec: async (step) => {
      throwIfAborted(signal)
      reporter.detail(`${step.title}: ${step.argv.join(' ')}`)
      const child = session.start(
        [...enter, 'c2m', hostPath(), step.env?.PATH ?? GUEST_PATH, ...places, ...step.argv],
        {
          env: guestEnvironment(step, task.sourceDateEpoch, options.env),
          ...(step.stdin === undefined ? {} : { input: step.stdin }),
          onLine: (line) => reporter.detail(line),
        },
      )
      const exit = await child.finished
      if (signal?.aborted === true) throw interrupted()
      if (!exit.status.includes('entered')) throw failure(`run "${step.title}" in the sandbox`, exit)
      if (exit.code !== 0) throw stepFailed(step, exit)
    },
    isFull: async () => {
      if (memory === undefined) return false
      const child = session.start(['stat', '--file-system', '--format=%a %d', '/tmp/work'], {})
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (data: string) => (text += data))
      await child.finished
      const [blocks = 1, inodes = 1] = text.trim().split(' ').map(Number)
      return blocks < 64 || inodes === 0
    },
    finish: async () => {
      await session.run('take the overlay apart', ['umount', '/tmp/tree'])
      for (const { place, key } of placed.reverse()) {
        await session.run('take temporary files away', ['sh', '-c', TAKE_FILE, 'c2m', place.directory, place.name, key])
      }
      const emptied = [...volatilePaths(task), ...caches.map(({ directory }) => directory)]
      await session.run('empty directories', ['sh', '-c', EMPTY_DIRECTORIES, 'c2m', ...emptied])
    },
  }
}

/** Paths of which only the directory itself belongs into the layer. */
export async function contentlessPaths(task: SandboxTask): Promise<readonly string[]> {
  return [...volatilePaths(task), ...(await Promise.all(task.packageCaches.map((path) => settle(task.base, path))))]
}

function volatilePaths({ volatile }: SandboxTask): readonly string[] {
  return volatile ?? VOLATILE
}

/** Bytes; undefined when changes go to disk. */
function memorySize({ place, mapped }: GuestOptions): number | undefined {
  const available = process.availableMemory()
  const size = Math.floor(available * MEMORY_SHARE)
  if (place !== undefined) return place === 'memory' ? size : undefined
  // tmpfs has the user.* attributes that an overlay in a user namespace needs since Linux 6.6
  if (mapped && !isKernel(6, 6)) return undefined
  return available >= LEAST_MEMORY ? size : undefined
}

function isKernel(major: number, minor: number): boolean {
  const [a = 0, b = 0] = release().split('.').map(Number)
  return a > major || (a === major && b >= minor)
}

async function mountOverlay(session: Session, memory: number | undefined, options: GuestOptions): Promise<void> {
  // whole copies and plain directories only: every change is then to be seen in the upper tree by itself.
  // userxattr implies both; given together with it they count as a conflict
  const attributes = options.mapped ? 'userxattr' : 'metacopy=off,redirect_dir=nofollow'
  const overlay = ['index=off', attributes]
  let place = 'memory'
  if (memory === undefined) {
    place = `work/work.${process.pid}.${await startTime(process.pid)}.${randomBytes(4).toString('hex')}`
    options.onWork(place)
    // nothing of it outlives the session, so it need not reach the disk
    if (isKernel(5, 10)) overlay.push('volatile')
  }
  const argv = [options.baseName, place, String(memory ?? 0), overlay.join(',')]
  await session.run('mount the overlay', ['sh', '-c', MOUNT_OVERLAY, 'c2m', ...argv])
}

async function makeCaches(session: Session, { task, cacheName }: GuestOptions): Promise<MountedCache[]> {
  const caches: MountedCache[] = []
  for (const path of task.packageCaches) {
    const directory = await settle(task.base, path)
    const like = await task.base.stat(directory)
    const mode = ((like?.type === 'directory' ? like.mode : 0o755) & 0o7777).toString(8)
    const owner = like?.type === 'directory' && like.uid < 65536 && like.gid < 65536 ? `${like.uid}:${like.gid}` : '0:0'
    const folder = `downloads/${cacheName}/${directory.replaceAll(/[^A-Za-z0-9_.-]/g, '+')}`
    await session.run('make the package cache', ['sh', '-c', MAKE_CACHE, 'c2m', folder, mode, owner])
    caches.push({ folder, directory })
  }
  return caches
}

export function stepFailed(step: ExecStep, exit: Exit): C2mError {
  const how = exit.signal === null ? `failed with exit code ${exit.code}` : `was ended by ${exit.signal}`
  const said = exit.said === '' ? '' : `; it said:\n${exit.said.replace(/^/gm, '  ')}`
  return new C2mError('C2M_SANDBOX_STEP_FAILED', `"${step.title}" (${step.argv.join(' ')}) ${how}${said}`, {
    hint: 'the command ran inside the image; --verbose shows all of its output',
  })
}
