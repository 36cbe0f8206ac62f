import {
  C2mError,
  CleanupStack,
  ExitCode,
  fileError,
  interrupted,
  lineReader,
  requireTool,
  throwIfAborted,
} from '@c2m/process'
import { open, writeFile, type FileHandle } from 'node:fs/promises'
import { firstLine, start, type Child, type ChildOptions, type Exit } from './child.js'
import { ID_COUNT, type IdMapping } from './id-mapping.js'
import { SESSION } from './scripts.js'

/**
 * Mount and process namespaces, and unless the image is trusted a user namespace, in which host programs prepare the
 * tree. Everything in it ends when the session is closed, when `signal` aborts, and when this process ends in whatever
 * way: its first process has the death of its parent as a signal.
 */
export interface Session extends AsyncDisposable {
  /** Prefix of a host program that is to run as the container's root in the namespaces. */
  readonly enter: readonly string[]
  /** Whether it lies in a user namespace. */
  readonly mapped: boolean
  /** First process, as the host numbers it: names the namespaces. */
  readonly pid: number
  /** The host's files that were asked for, opened. */
  readonly files: readonly number[]
  /** Starts a host program as the container's root in the namespaces. */
  start(argv: readonly string[], options?: ChildOptions): Child
  /** Ends everything in it at once, also when no further process can be started in there. */
  end(): void
  /** Runs one to its end. @throws C2M_SANDBOX_FAILED, C2M_INTERRUPTED */
  run(doing: string, argv: readonly string[], options?: ChildOptions): Promise<Exit>
}

export interface SessionOptions {
  /** Undefined: no user namespace, the container's root is the host's. */
  readonly mapping: IdMapping | undefined
  /** The sandbox's folder; belongs to the container's root. */
  readonly folder: string
  /** Files and folders of the host that are to be mounted: absolute, without symlinks. The session closes them. */
  readonly files?: readonly string[]
  /** 'own': a network namespace with nothing but a loopback device. */
  readonly network: 'own' | 'host'
  readonly signal?: AbortSignal | undefined
}

/** open(2)'s O_PATH: names a file without the right to read it. */
const O_PATH = 0o10000000

/** Programs of the host that the scripts use, with apt's packages. */
const TOOLS: readonly (readonly [name: string, aptPackage: string])[] = [
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['crun', 'crun'],
  ['mount', 'mount'],
  ['umount', 'mount'],
  ['tar', 'tar'],
  ['find', 'findutils'],
  ['cmp', 'diffutils'],
  ['mkfifo', 'coreutils'],
]

/** @throws C2M_TOOL_MISSING (exit code 3) */
async function requireTools(network: 'own' | 'host'): Promise<void> {
  for (const [name, aptPackage] of TOOLS) await requireTool(name, 'the sandbox', aptPackage)
  if (network === 'own') await requireTool('ip', 'a network of its own', 'iproute2')
}

/** @throws C2M_SANDBOX_FAILED when the kernel or its settings do not allow it; C2M_INTERRUPTED */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { mapping, folder, files = [], network, signal } = options
  throwIfAborted(signal)
  await requireTools(network)
  // absolute, since a step's environment brings the PATH of the image
  const nsenter = await requireTool('nsenter', 'the sandbox', 'util-linux')
  const sleep = await requireTool('sleep', 'the sandbox', 'coreutils')
  await using cleanup = new CleanupStack()
  const holder = mapping === undefined ? undefined : await openUserNamespace([rangeOf(mapping)], signal)
  if (holder !== undefined) cleanup.defer(() => holder[Symbol.asyncDispose]())
  const kinds = ['--mount', '--pid', ...(network === 'own' ? ['--net'] : [])]
  const namespaces = ['unshare', ...kinds, '--fork', '--kill-child', '--propagation', 'private', '--']
  // set after the change of ids, which clears it
  const bound = ['setpriv', '--pdeathsig', 'KILL', '--']
  const init = start([...(holder?.enter ?? []), ...bound, ...namespaces, 'sh', '-c', SESSION, 'c2m', network, sleep], {
    cwd: folder,
    keepOpen: true,
  })
  signal?.addEventListener('abort', init.kill, { once: true })
  await using opening = new CleanupStack()
  opening.defer(async () => {
    signal?.removeEventListener('abort', init.kill)
    init.kill()
    await init.finished.catch(() => undefined)
  })
  const { nextLine } = lineReader(init.stdout)
  const expect = async (line: RegExp): Promise<string> => {
    const match = line.exec((await nextLine()) ?? '')
    if (match !== null && signal?.aborted !== true) return match[1] ?? ''
    init.kill()
    throwIfAborted(signal)
    throw await sessionFailure('open the sandbox', init)
  }
  const pid = await expect(/^begun (\d+)$/)
  const opened: number[] = []
  for (const path of files) {
    const file = await openInNamespace(pid, path)
    opening.defer(() => file.close())
    opened.push(file.fd)
  }
  init.stdin.write('go\n')
  await expect(/^ready$/)
  const user = mapping === undefined ? [] : ['--user', '--setuid', '0', '--setgid', '0']
  const enter = [nsenter, '--target', pid, ...user, ...kinds, '--']
  const startIn = (argv: readonly string[], options?: ChildOptions) => start([...enter, ...argv], options)
  const kept = opening.release()
  return {
    enter,
    mapped: mapping !== undefined,
    pid: Number(pid),
    files: opened,
    start: startIn,
    end: init.kill,
    run: async (doing, argv, options) => {
      throwIfAborted(signal)
      const child = startIn(argv, options)
      if (options?.onLine === undefined) child.stdout.resume()
      const exit = await child.finished.catch((error: unknown) => {
        throwIfAborted(signal)
        throw error
      })
      if (signal?.aborted === true) throw interrupted()
      if (exit.code !== 0) throw failure(doing, exit)
      return exit
    },
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  }
}

/**
 * A file of the host as a mount in the session's namespace, the only one from which it can be mounted there; found with
 * this user's rights, so that folders which are closed to the container's root may lie above it.
 */
async function openInNamespace(pid: string, path: string): Promise<FileHandle> {
  return open(`/proc/${pid}/root${path}`, O_PATH).catch((error: unknown) => {
    throw fileError(error, path, 'mount')
  })
}

/** Runs one host program as root of a user namespace that has this user as 0 and the container's ids after it. */
export async function runAsOwner(
  mapping: IdMapping | undefined,
  argv: readonly string[],
  signal?: AbortSignal,
): Promise<{ output: string }> {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const own = { inside: 0, uid, gid, count: 1 }
  // the host's root needs no namespace to have its way with files
  const holder =
    mapping === undefined || uid === 0
      ? undefined
      : await openUserNamespace([own, { ...rangeOf(mapping), inside: 1 }], signal)
  try {
    const child = start([...(holder?.enter ?? []), 'setpriv', '--pdeathsig', 'KILL', '--', ...argv])
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const exit = await child.finished
    if (exit.code !== 0) throw failure(argv.slice(0, 2).join(' '), exit)
    return { output }
  } finally {
    await holder?.[Symbol.asyncDispose]()
  }
}

interface MappedRange {
  readonly inside: number
  readonly uid: number
  readonly gid: number
  readonly count: number
}

function rangeOf(mapping: IdMapping): MappedRange {
  return { inside: 0, uid: mapping.uid, gid: mapping.gid, count: ID_COUNT }
}

interface UserNamespace extends AsyncDisposable {
  /** Prefix of a command that is to run in it as its root. */
  readonly enter: readonly string[]
}

/** A user namespace, kept by a process that ends with its standard input, so with this process. */
async function openUserNamespace(
  ranges: readonly MappedRange[],
  signal: AbortSignal | undefined,
): Promise<UserNamespace> {
  throwIfAborted(signal)
  const holder = start(['unshare', '--user', '--', 'sh', '-c', 'echo ready; read -r _ || :'], { keepOpen: true })
  const close = async () => {
    holder.stdin.end()
    holder.kill()
    await holder.finished.catch(() => undefined)
  }
  if ((await firstLine(holder)) !== 'ready') throw await sessionFailure('make a user namespace', holder)
  try {
    await writeMaps(holder.process.pid ?? 0, ranges)
  } catch (error) {
    await close()
    throw error
  }
  const enter = ['nsenter', '--target', String(holder.process.pid), '--user', '--setuid', '0', '--setgid', '0', '--']
  return { enter, [Symbol.asyncDispose]: close }
}

/** user_namespaces(7), "User and group ID mappings". */
async function writeMaps(pid: number, ranges: readonly MappedRange[]): Promise<void> {
  for (const kind of ['uid', 'gid'] as const) {
    const lines = ranges.map((range) => [range.inside, range[kind], range.count])
    if (process.getuid?.() === 0) {
      try {
        await writeFile(`/proc/${pid}/${kind}_map`, lines.map((line) => `${line.join(' ')}\n`).join(''))
      } catch (error) {
        throw new C2mError('C2M_SANDBOX_FAILED', `the kernel refuses the ${kind} mapping ${lines.join('; ')}`, {
          hint: 'when this is itself a container, give root a mapped range in /etc/subuid and /etc/subgid, or use --sandbox root',
          cause: error,
          exitCode: ExitCode.missing,
        })
      }
      continue
    }
    const child = start([`new${kind}map`, String(pid), ...lines.flat().map(String)])
    child.stdout.resume()
    const exit = await child.finished
    if (exit.code !== 0) throw failure(`map ${kind}s with new${kind}map`, exit)
  }
}

async function sessionFailure(doing: string, child: Child): Promise<Error> {
  child.stdout.resume()
  return failure(doing, await child.finished)
}

export function failure(doing: string, exit: Exit): C2mError {
  const how = exit.signal ?? `exit code ${exit.code}`
  const said = exit.said === '' ? '' : `:\n${exit.said.replace(/^/gm, '  ')}`
  return new C2mError('C2M_SANDBOX_FAILED', `cannot ${doing} (${how})${said}`, {
    hint: 'c2m doctor says what this host lacks; --sandbox docker uses a container engine instead',
  })
}
