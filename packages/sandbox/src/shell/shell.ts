import { CleanupStack, quote, requireTool, silentReporter, throwIfAborted } from '@c2m/process'
import { requireArchitecture } from '../guest/architecture.js'
import { lentFiles, settle } from '../guest/temporary-file.js'
import { openWorkplace } from '../guest/workplace.js'
import { writeLayer } from '../layer/write.js'
import { failure, type Session } from '../namespace/session.js'
import type { SandboxOptions, SandboxTask } from '../sandbox.js'
import { attach, type Attached, type Descriptors } from './attached.js'
import { openControlGroup, type ControlGroup, type Limits } from './cgroup.js'
import { exportsOf } from './environment.js'
import { ENTER_SHELL, MOUNT_FILES, TAKE_POINTS } from './scripts.js'
import { placeVolume, warnOfVolume, type PlacedVolume, type Volume } from './volume.js'

/** A command that is run in an image's tree on behalf of somebody who watches it. */
export interface ShellTask extends Pick<SandboxTask, 'base' | 'baseId' | 'architecture'> {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Ids in the image, below 65536. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
  /** Absolute, in the image; made when it is missing. */
  readonly workingDirectory: string
  readonly network: 'host' | 'none'
  readonly volumes: readonly Volume[]
  readonly limits: Limits
}

export interface ShellLayer {
  readonly path: string
  wanted(exitCode: number): boolean
  /** Seconds; what is newer gets this time. Asked when the command has ended. */
  time(): number
}

export interface ShellOptions extends Omit<SandboxOptions, 'mode' | 'work'> {
  readonly descriptors: Descriptors
  /** Gives the command a terminal of its own on this process's one: standard input and output must be it. */
  readonly terminal: boolean
  /** Where the changes are written as a layer, and for which exit codes. */
  readonly layer?: ShellLayer
  /** Told, without a terminal, how to send the command a signal. */
  onRunning?(send: (signal: NodeJS.Signals) => void): void
}

/**
 * Runs a command in an image's tree, in namespaces of its own and as ids that are nobody's on the host. Neither the image
 * nor the cache is changed.
 * @returns its exit code; 128 and the signal's number when a signal ended it; 127 when the image has no such program
 * @throws C2M_SANDBOX_… when the host does not allow it; C2M_CGROUP; C2M_VOLUME; C2M_TOOL_MISSING; C2M_INTERRUPTED
 */
export async function runShell(task: ShellTask, options: ShellOptions): Promise<number> {
  const { signal, reporter = silentReporter, layer } = options
  throwIfAborted(signal)
  await requireArchitecture(task.architecture)
  await using cleanup = new CleanupStack()
  const volumes: PlacedVolume[] = []
  for (const volume of task.volumes) volumes.push(await placeVolume(volume, task.base))
  for (const volume of volumes) await warnOfVolume(volume, reporter)
  const group = await openControlGroup(task.limits)
  if (group !== undefined) cleanup.defer(() => group[Symbol.asyncDispose]())

  // memory is the command's to use, and nobody knows how much it writes
  const sandbox: SandboxTask = { ...NO_STEPS, ...task }
  const files = volumes.map(({ source }) => source)
  const workplace = await openWorkplace(sandbox, { ...options, mode: 'userns', work: 'disk' }, cleanup, files)
  const { session, guest, mapped } = workplace
  if (task.network === 'host') for (const file of await lentFiles(task.base)) await guest.put(file)
  if (volumes.length > 0) {
    const opened = volumes.map(({ readOnly }, index) => `${index + 4}:${readOnly ? 'ro' : 'rw'}`)
    await session.run('mount the volumes', ['sh', '-c', MOUNT_FILES, 'c2m', ...opened], { files: session.files })
  }
  const exitCode = await runCommand(session, task, volumes, group, options)
  if (layer?.wanted(exitCode) === true) {
    await guest.finish()
    await session.run('take mount points away', ['sh', '-c', TAKE_POINTS])
    const changed = { ...sandbox, sourceDateEpoch: layer.time() }
    await writeLayer(session, layer.path, { task: changed, mapped, reporter, signal })
  }
  return exitCode
}

const NO_STEPS = {
  steps: [],
  packageCaches: [],
  cacheGroup: 'shell',
  sourceDateEpoch: 0,
  // what is mounted over; whatever else the command changes is kept
  volatile: ['proc', 'sys', 'dev'],
}

async function runCommand(
  session: Session,
  task: ShellTask,
  volumes: readonly PlacedVolume[],
  group: ControlGroup | undefined,
  options: ShellOptions,
): Promise<number> {
  const { signal, reporter = silentReporter, terminal } = options
  const text = exportsOf(task.environment, (name) =>
    reporter.warn(`the variable ${name} was left out: no shell can set it`),
  )
  // in the user's own namespace only root and the command's user see it
  await session.run('hand the environment over', ['sh', '-c', 'umask 077; cat > /tmp/environment'], { input: text })
  throwIfAborted(signal)
  const child = attach([...(await joining(group)), ...(await commandLine(session, task, volumes, terminal))], options)
  const attached: Attached = child
  signal?.addEventListener('abort', attached.kill, { once: true })
  if (!terminal) options.onRunning?.(attached.send)
  try {
    const exit = await attached.finished
    throwIfAborted(signal)
    if (exit.status !== 'entered') throw failure('enter the image', exit)
    return exit.code ?? 137
  } finally {
    signal?.removeEventListener('abort', attached.kill)
  }
}

/** Puts itself into the group before it becomes what follows. */
async function joining(group: ControlGroup | undefined): Promise<readonly string[]> {
  if (group === undefined) return []
  const sh = await requireTool('sh', 'the sandbox', 'dash')
  return [sh, '-c', 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"', 'c2m', group.path]
}

async function commandLine(
  session: Session,
  task: ShellTask,
  volumes: readonly PlacedVolume[],
  terminal: boolean,
): Promise<readonly string[]> {
  const { user, network, workingDirectory } = task
  if (network === 'none') await requireTool('ip', '--net none', 'iproute2')
  if (terminal) await requireTool('script', 'a terminal for the command', 'bsdutils')
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--cgroup', ...(network === 'none' ? ['--net'] : [])]
  const entering = [
    network,
    String(user.uid),
    String(user.gid),
    user.groups.join(','),
    workingDirectory,
    terminal ? 'terminal' : 'none',
    await missingDirectory(task, volumes),
    String(volumes.length),
    ...volumes.flatMap(({ place }, index) => [String(index), place]),
  ]
  // not through the session's process namespace, whose entering leaves a parent behind that Ctrl-C would end
  const bound = ['setpriv', '--pdeathsig', 'KILL', '--']
  const unshared = ['unshare', ...namespaces, '--fork', '--kill-child', '--']
  const inside = [...bound, ...unshared, 'sh', '-c', ENTER_SHELL, 'c2m', ...entering, ...task.argv]
  if (!terminal) return [...session.enter, ...inside]
  const command = `exec ${inside.map(quote).join(' ')}`
  return [...session.enter, ...bound, 'script', '--quiet', '--return', '--command', command, '/dev/null']
}

/** The working directory, when neither the image nor a volume has it. */
async function missingDirectory(
  { base, workingDirectory }: ShellTask,
  volumes: readonly PlacedVolume[],
): Promise<string> {
  if ((await base.resolve(workingDirectory.slice(1))) !== undefined) return ''
  const settled = await settle(base, workingDirectory)
  return volumes.some(({ place }) => `${settled}/`.startsWith(`${place}/`)) ? '' : settled
}
