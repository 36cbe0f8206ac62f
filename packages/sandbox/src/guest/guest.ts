import type { ExecStep } from '@c2m/plugin-api'
import { C2mError, interrupted, ownMark, throwIfAborted, type Reporter } from '@c2m/process'
import { randomBytes } from 'node:crypto'
import { release } from 'node:os'
import type { ContainerProcess } from '../container/config.js'
import { containerStatus, programFault, prepareContainer, type Container } from '../container/container.js'
import { watchLimits, type StepLimits } from '../limits/step-limits.js'
import { start, type Exit } from '../namespace/child.js'
import { EMPTY_DIRECTORIES, MOUNT_CACHES, MOUNT_OVERLAY, PUT_FILE, TAKE_FILE } from '../namespace/scripts.js'
import { failure, type Session } from '../namespace/session.js'
import type { Network } from '../network/network.js'
import type { SandboxTask } from '../sandbox.js'
import { guestEnvironment } from './environment.js'
import { placeOf, settle, type Place, type TemporaryFile } from './temporary-file.js'

/** The tree with an overlay for changes, in which the image's programs run. */
export interface Guest {
  /** Puts a file there for the rest of the session. */
  put(file: TemporaryFile): Promise<void>
  /** A process that is to run in the tree. @throws C2M_SANDBOX_FAILED, C2M_INTERRUPTED */
  container(process: ContainerProcess): Promise<Container>
  /** @throws C2M_SANDBOX_STEP_FAILED, C2M_SANDBOX_LIMIT, C2M_SANDBOX_FAILED, C2M_INTERRUPTED */
  exec(step: ExecStep, limits: StepLimits): Promise<void>
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
  readonly network: Network
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/** Where the overlay is. */
const TREE = '/tmp/tree'
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
  const { task, network, reporter, signal } = options
  const place = { root: TREE, sys: network.sys, architecture: task.architecture }
  const memory = memorySize(options)
  await mountOverlay(session, memory, options)
  const caches = await makeCaches(session, options)
  const places = caches.flatMap(({ folder, directory }) => [folder, directory])
  await session.run('mount the package caches', ['sh', '-c', MOUNT_CACHES, 'c2m', ...places])
  const placed: { place: Place; key: string }[] = []

  return {
    container: async (process) => prepareContainer(session, process, place),
    put: async (file) => {
      const place = await placeOf(task.base, file.path)
      const key = String(placed.length)
      const mode = (file.mode & 0o7777).toString(8)
      placed.push({ place, key })
      const argv = ['sh', '-c', PUT_FILE, 'c2m', place.directory, place.name, mode, key]
      await session.run(`put ${file.path} into the image`, argv, { input: file.content })
    },
    exec: async (step, limits) => {
      throwIfAborted(signal)
      reporter.detail(`${step.title}: ${step.argv.join(' ')}`)
      const container = await prepareContainer(
        session,
        {
          argv: step.argv,
          environment: guestEnvironment(step, task.sourceDateEpoch, network.environment),
          workingDirectory: '/',
          user: { uid: 0, gid: 0, groups: [] },
          terminal: undefined,
        },
        place,
      )
      using watch = watchLimits(limits, session.end)
      const child = start([...limits.joining, ...session.enter, ...container.argv], {
        ...(step.stdin === undefined ? {} : { input: step.stdin }),
        onLine: (line) => reporter.detail(line),
      })
      const exit = await child.finished
      if (signal?.aborted === true) throw interrupted()
      watch.throwIfExceeded(step.title)
      const { entered, said } = containerStatus(exit.status)
      const complete = { ...exit, said: exit.said.includes(said) ? exit.said : `${exit.said}\n${said}` }
      if (!entered && programFault(said) === undefined) throw failure(`run "${step.title}" in the sandbox`, complete)
      if (exit.code !== 0) throw stepFailed(step, complete)
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
      await session.run('take the overlay apart', ['umount', '--recursive', TREE])
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
    place = `work/work.${await ownMark()}.${randomBytes(4).toString('hex')}`
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
    hint: 'the command ran inside the image: --verbose shows all of its output, --net host gives it the network of this host',
  })
}
