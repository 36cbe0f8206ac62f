import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ExecStep, TemporaryFileStep, Verdict } from '@c2m/plugin-api'
import {
  C2mError,
  CleanupStack,
  ExitCode,
  fileError,
  findTool,
  interrupted,
  makeTemporaryFolder,
  silentReporter,
  throwIfAborted,
} from '@c2m/process'
import { packRootfs, writeTar } from '@c2m/rootfs'
import { guestEnvironment } from '../guest/environment.js'
import { contentlessPaths, stepFailed } from '../guest/guest.js'
import { placeOf, settle, type Place } from '../guest/temporary-file.js'
import { firstLine, hostPath, start, type ChildOptions, type Exit } from '../namespace/child.js'
import { CAPABILITIES } from '../container/config.js'
import { PROCESSES } from '../container/container.js'
import { DEFAULT_SECONDS, watchLimits } from '../limits/step-limits.js'
import type { NetworkMode } from '../network/network.js'
import { proxyVariables } from '../network/upstream.js'
import type { SandboxOptions, SandboxTask } from '../sandbox.js'
import { downloadsName } from '../tree/store.js'
import { unpackable } from '../tree/placeholder.js'
import { convertCommit } from './commit.js'
import { readTopLayer } from './saved-image.js'

const ENGINES = ['docker', 'podman'] as const

/** Whether a container engine is there and answers. */
export async function checkEngine(): Promise<Verdict> {
  const found = await findEngine()
  if (typeof found === 'string') return { ok: true }
  return {
    ok: false,
    because: found.because,
    hint: 'install and start one: apt-get install docker.io, or podman; or use --sandbox userns',
  }
}

async function findEngine(): Promise<string | { because: string }> {
  let because = 'neither docker nor podman is installed'
  for (const name of ENGINES) {
    const path = await findTool(name)
    if (path === undefined) continue
    const exit = await engineRun(path, ['ps', '--quiet'], {}).catch(() => undefined)
    if (exit?.code === 0) return path
    because = `${name} does not answer${exit?.said ? `: ${exit.said.split('\n')[0]}` : ''}`
  }
  return { because }
}

/**
 * The same by a container engine, for hosts whose kernel or policy forbids namespaces: the tree is imported as an image,
 * a container of it idles while the steps are run in it with `exec`, and what `commit` makes of it has the changes as its
 * top layer. The idling process ends with its standard input, so with this one, and the container is removed then.
 *
 * The engine brings its own /etc/resolv.conf, /etc/hosts and /etc/hostname as mounts. The image needs /bin/sh.
 * @throws C2M_SANDBOX_STEP_FAILED, C2M_SANDBOX_ENGINE, C2M_INTERRUPTED
 */
export async function runInEngine(task: SandboxTask, output: string, options: SandboxOptions): Promise<void> {
  const { signal, reporter = silentReporter } = options
  const found = await findEngine()
  if (typeof found !== 'string') {
    throw new C2mError('C2M_SANDBOX_ENGINE', `no container engine can be used: ${found.because}`, {
      hint: 'start it, or use --sandbox userns',
      exitCode: ExitCode.missing,
    })
  }
  await using cleanup = new CleanupStack()
  const engine = new Engine(found, signal)
  const name = `c2m-sandbox-${process.pid}-${randomBytes(4).toString('hex')}`
  const image = `${name}:base`
  const result = `${name}:result`

  cleanup.defer(() => engine.discard(['rmi', '--force', image]))
  reporter.detail('importing the image into the container engine')
  const tree = unpackable(task.base, { mapped: false })
  await engine.run(['import', '-', image], { input: packRootfs(tree, { onOmitted: () => undefined }) })

  const caches = await cacheVolumes(task)
  const options_ = [
    '--rm',
    '--interactive',
    '--name',
    name,
    ...networkOf(options.network),
    ...HARDENED,
    '--hostname',
    'localhost',
    '--workdir',
    '/',
    '--user',
    '0:0',
  ]
  const idle = ['/bin/sh', '-c', 'echo ready; read -r _ || :']
  const container = start([found, 'run', ...options_, ...caches, image, ...idle], {
    keepOpen: true,
    env: engineEnvironment(),
  })
  cleanup.defer(async () => {
    container.stdin.end()
    await engine.discard(['rm', '--force', '--volumes', name])
    await container.finished.catch(() => undefined)
  })
  if ((await firstLine(container)) !== 'ready') {
    container.stdin.end()
    throw engineFailed(['run', image], await container.finished)
  }
  const placed = await runSteps(engine, name, task, options)
  cleanup.defer(() => engine.discard(['rmi', '--force', result]))
  await engine.run(['commit', name, result])

  await using folder = await makeTemporaryFolder(dirname(output), 'engine')
  const saved = join(folder.path, 'saved.tar')
  await engine.run(['save', '--output', saved, result])
  const contentless = await contentlessPaths(task)
  const warn = (message: string) => reporter.warn(message)
  const members = convertCommit(readTopLayer(saved, { warn }), { task, contentless, placed })
  try {
    await pipeline(
      Readable.from(writeTar(members), { objectMode: false }),
      createWriteStream(output, { mode: 0o600 }),
      { signal },
    )
  } catch (error) {
    await rm(output, { force: true })
    throwIfAborted(signal)
    throw fileError(error, output, 'write')
  }
}

/** As the containers of the other modes have it; the engine's own filter of system calls and masks come on top. */
const HARDENED = [
  ...['--security-opt', 'no-new-privileges', '--pids-limit', String(PROCESSES), '--cap-drop', 'ALL'],
  ...CAPABILITIES.flatMap((name) => ['--cap-add', name.slice(4)]),
]

/** By default the engine's own network, which is not the host's. */
function networkOf(mode: NetworkMode = 'http'): string[] {
  return mode === 'host' || mode === 'none' ? ['--network', mode] : []
}

/** The client may need its own variables (DOCKER_HOST, HOME) to find the engine; the image's programs never see them. */
function engineEnvironment(guest: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ...Object.fromEntries(own), PATH: hostPath(), ...guest }
}

async function engineRun(path: string, args: readonly string[], options: ChildOptions): Promise<Exit> {
  const child = start([path, ...args], { env: engineEnvironment(), ...options })
  if (options.onLine === undefined) child.stdout.resume()
  return child.finished
}

class Engine {
  constructor(
    readonly path: string,
    readonly signal: AbortSignal | undefined,
  ) {}

  async start(args: readonly string[], options: ChildOptions = {}): Promise<Exit> {
    throwIfAborted(this.signal)
    const child = start([this.path, ...args], { env: engineEnvironment(), ...options })
    if (options.onLine === undefined) child.stdout.resume()
    this.signal?.addEventListener('abort', child.kill, { once: true })
    try {
      const exit = await child.finished
      if (this.signal?.aborted === true) throw interrupted()
      return exit
    } finally {
      this.signal?.removeEventListener('abort', child.kill)
    }
  }

  async run(args: readonly string[], options: ChildOptions = {}): Promise<void> {
    const exit = await this.start(args, options)
    if (exit.code !== 0) throw engineFailed(args, exit)
  }

  /** For clean-up: also after an interruption, and what is not there any more is no error. */
  async discard(args: readonly string[]): Promise<void> {
    await engineRun(this.path, args, {})
  }
}

/** A file that was put into the container, and where. */
export interface PlacedFile {
  readonly path: string
  readonly content: string
}

async function runSteps(
  engine: Engine,
  name: string,
  task: SandboxTask,
  options: SandboxOptions,
): Promise<PlacedFile[]> {
  const placed: PlacedFile[] = []
  for (const step of task.steps) {
    if (step.do === 'temporaryFile') {
      const place = await placeOf(task.base, step.path)
      await engine.run(['cp', '-', `${name}:/`], { input: fileArchive(place, step, task) })
      placed.push({ path: join(place.directory, place.name), content: step.content })
    } else {
      await execInContainer(engine, name, step, task, options)
    }
  }
  return placed
}

async function* fileArchive(place: Place, step: TemporaryFileStep, task: SandboxTask): AsyncGenerator<Uint8Array> {
  const data = Buffer.from(step.content)
  const mtime = { seconds: task.sourceDateEpoch, nanoseconds: 0 }
  const body = Readable.from(data.length === 0 ? [] : [{ offset: 0, data }])
  const path = join(place.directory, place.name)
  yield* writeTar([
    { path, type: 'file', mode: step.mode & 0o7777, uid: 0, gid: 0, mtime, size: data.length, xattrs: new Map(), body },
  ])
}

async function execInContainer(
  engine: Engine,
  name: string,
  step: ExecStep,
  task: SandboxTask,
  { cache, seconds = DEFAULT_SECONDS, env = process.env, reporter = silentReporter }: SandboxOptions,
): Promise<void> {
  reporter.detail(`${step.title}: ${step.argv.join(' ')}`)
  // proxies by name only: their values may be secrets, and arguments are there for everybody to read
  const proxies = proxyVariables(env)
  const own = Object.entries(guestEnvironment(step, task.sourceDateEpoch, {})).map(([key, value]) => `${key}=${value}`)
  const variables = [...own, ...Object.keys(proxies)].flatMap((variable) => ['--env', variable])
  const stdin = step.stdin === undefined ? [] : ['--interactive']
  const remove = () => void engine.discard(['rm', '--force', '--volumes', name])
  using watch = watchLimits({ seconds, reserve: 0, cache }, remove)
  const exit = await engine.start(['exec', ...stdin, '--workdir', '/', ...variables, name, ...step.argv], {
    env: engineEnvironment(proxies),
    ...(step.stdin === undefined ? {} : { input: step.stdin }),
    onLine: (line) => reporter.detail(line),
  })
  watch.throwIfExceeded(step.title)
  if (exit.code !== 0) throw stepFailed(step, exit)
}

/** Named volumes; an engine fills a new one with what the image has there. */
async function cacheVolumes(task: SandboxTask): Promise<string[]> {
  const group = `c2m-${downloadsName(task)}`
  const volumes: string[] = []
  for (const path of task.packageCaches) {
    const directory = await settle(task.base, path)
    volumes.push('--volume', `${group}-${directory.replaceAll(/[^A-Za-z0-9_.-]/g, '.')}:/${directory}`)
  }
  return volumes
}

function engineFailed(args: readonly string[], exit: Exit): C2mError {
  const how = exit.signal ?? `exit code ${exit.code}`
  const said = exit.said === '' ? '' : `; it said:\n${exit.said.replace(/^/gm, '  ')}`
  return new C2mError('C2M_SANDBOX_ENGINE', `the container engine failed to ${args.join(' ')} (${how})${said}`, {
    hint: 'look whether it works: docker info, or podman info; or use --sandbox userns',
  })
}
