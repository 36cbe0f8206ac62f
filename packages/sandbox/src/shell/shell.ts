import { CleanupStack, silentReporter, throwIfAborted } from '@c2m/process'
import type { ContainerProcess } from '../container/config.js'
import { containerStatus, programFault } from '../container/container.js'
import { requireArchitecture } from '../guest/architecture.js'
import { settle } from '../guest/temporary-file.js'
import { openWorkplace, type Workplace } from '../guest/workplace.js'
import { writeLayer } from '../layer/write.js'
import { joining, openControlGroup, type ControlGroup, type Limits } from '../limits/cgroup.js'
import { failure } from '../namespace/session.js'
import type { NetworkMode } from '../network/network.js'
import type { SandboxOptions, SandboxTask } from '../sandbox.js'
import { attach, type Descriptors } from './attached.js'
import { MOUNT_FILES, PLACE_VOLUMES, TAKE_POINTS } from './scripts.js'
import { placeVolume, warnOfVolume, type PlacedVolume, type Volume } from './volume.js'

/** A command that is run in an image's tree on behalf of somebody who watches it. */
export interface ShellTask
  extends Pick<SandboxTask, 'base' | 'baseId' | 'architecture'>, Omit<ContainerProcess, 'terminal'> {
  /** Absolute, in the image; made when it is missing. */
  readonly workingDirectory: string
  readonly network: NetworkMode
  readonly volumes: readonly Volume[]
  readonly limits: Limits
}

export interface ShellLayer {
  readonly path: string
  wanted(exitCode: number): boolean
  /** Seconds; what is newer gets this time. Asked when the command has ended. */
  time(): number
}

export interface ShellOptions extends Omit<SandboxOptions, 'mode' | 'work' | 'network' | 'seconds'> {
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
 * @returns its exit code; 128 and the signal's number when a signal ended it; 127 when the image has no such program, 126 when it cannot be run
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
  const workplace = await openWorkplace(
    sandbox,
    { ...options, mode: 'userns', work: 'disk', network: task.network },
    cleanup,
    files,
  )
  const { session, guest, network, mapped } = workplace
  for (const file of network.files) await guest.put(file)
  if (volumes.length > 0) {
    const opened = volumes.map(({ readOnly }, index) => `${index + 4}:${readOnly ? 'ro' : 'rw'}`)
    await session.run('mount the volumes', ['sh', '-c', MOUNT_FILES, 'c2m', ...opened], { files: session.files })
  }
  const places = [await missingDirectory(task, volumes), ...volumes.map(({ place }) => place)]
  await session.run('place the volumes', ['sh', '-c', PLACE_VOLUMES, 'c2m', ...places])
  // the caller's own variables are stronger
  const environment = { ...network.environment, ...task.environment }
  const exitCode = await runCommand(workplace, { ...task, environment }, group, options)
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
  { session, guest }: Workplace,
  task: ShellTask,
  group: ControlGroup | undefined,
  options: ShellOptions,
): Promise<number> {
  const { signal, terminal } = options
  const { columns: width = 80, rows: height = 24 } = process.stdout
  const container = await guest.container({ ...task, terminal: terminal ? { width, height } : undefined })
  throwIfAborted(signal)
  const kill = () => void container.kill()
  const resize = () => {
    const { columns = 80, rows = 24 } = process.stdout
    void container.resize({ width: columns, height: rows })
  }
  if (terminal) process.stdout.on('resize', resize)
  signal?.addEventListener('abort', kill, { once: true })
  if (!terminal) options.onRunning?.((name) => void container.signal(name))
  try {
    const exit = await attach([...(await joining(group)), ...session.enter, ...container.argv], options)
    throwIfAborted(signal)
    const { entered, said } = containerStatus(exit.status)
    const fault = entered ? undefined : programFault(said)
    if (!entered && fault === undefined) throw failure('enter the image', { ...exit, said })
    return fault ?? exit.code ?? 137
  } finally {
    signal?.removeEventListener('abort', kill)
    process.stdout.off('resize', resize)
  }
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
