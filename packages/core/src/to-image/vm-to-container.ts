import { familiarName, parseDestination, writeImage, type WrittenImage } from '@c2m/image'
import type { MachineFindings, MachineService, Rootfs, RootfsEdit, StepContext } from '@c2m/plugin-api'
import { CleanupStack, makeTemporaryFolder, throwIfAborted, type Reporter } from '@c2m/process'
import { editRootfs, rememberRootfs, rootfsSummary, type CleaningResult, type Inexpressible } from '@c2m/rootfs'
import type { SecretFinding } from '@c2m/linux'
import { join } from 'node:path'
import { inject, injectable } from 'tsyringe'
import { machineName, machineTarget, openMachine } from '../machine/open-machine.js'
import type { OpenedMachine } from '../machine/reader.js'
import type { PluginRegistry } from '../plugins/registry.js'
import type { VmToContainerRequest } from '../request/vm-to-container.js'
import { configure, relative } from '../steps/configure.js'
import { REGISTRY, REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'
import { lockAccounts } from './accounts.js'
import { annotations, imageConfig } from './config.js'
import { know, type Known } from './findings.js'
import { layersOf } from './layers.js'
import { takeOriginal } from './original.js'
import { chooseProcess, type ChosenProcess } from './process.js'
import { SPARSE } from './sparse.js'
import { strip, type Stripped } from './strip.js'
import { treeTime } from './time.js'

/** What a conversion decided, before and after it is done. */
export interface ImagePlan {
  readonly root: string
  readonly reasons: readonly string[]
  readonly mounts: OpenedMachine['mounts']
  /** os-release's PRETTY_NAME. */
  readonly os?: string
  readonly distro?: Known['distro']
  readonly architecture: string
  /** RFC 3339. */
  readonly created: string
  readonly entries: number
  /** Bytes of all regular files in the image. */
  readonly bytes: number
  readonly cleaning: readonly CleaningResult[]
  readonly leftOut: readonly Inexpressible[]
  readonly droppedAttributes: Readonly<Record<string, number>>
  readonly secrets: readonly SecretFinding[]
  readonly secretsExcluded: boolean
  readonly init: { readonly id: string; readonly because: string }
  readonly ports: readonly string[]
  readonly services: readonly MachineService[]
  /** Directories whose data outlives a container. */
  readonly volumes: readonly { readonly path: string; readonly note: string }[]
}

export interface VmToContainerResult extends WrittenImage {
  readonly plan: ImagePlan
  /** Runs the image as it is meant. */
  readonly runCommand?: string
}

/** A machine becomes an image: read, strip, choose what runs, write. */
@injectable()
export class VmToContainer {
  constructor(
    @inject(REGISTRY) private readonly registry: PluginRegistry,
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async plan(request: VmToContainerRequest): Promise<ImagePlan> {
    await using cleanup = new CleanupStack()
    return (await this.#prepare(request, cleanup)).plan
  }

  async run(request: VmToContainerRequest): Promise<VmToContainerResult> {
    await using cleanup = new CleanupStack()
    const { plan, chosen, known, rootfs } = await this.#prepare(request, cleanup)
    const name = machineName(machineTarget(request.machine))
    const labels = annotations(name, plan.created, known)
    const done = this.reporter.stage(`write ${request.output}`)
    const layers = await layersOf(rootfs, request.splitLayers ? await known.findings.packageFiles() : undefined)
    const written = await writeImage(
      parseDestination(request.output),
      {
        layers,
        architecture: plan.architecture,
        os: 'linux',
        created: plan.created,
        config: imageConfig(chosen, labels),
        annotations: labels,
      },
      {
        tags: request.tags,
        compression: request.compression,
        level: request.level,
        force: request.force,
        cache: this.settings.cache,
        env: this.settings.env,
        signal: this.signal,
        reporter: this.reporter,
      },
    )
    done()
    return { ...written, plan, ...commands(request, chosen, written) }
  }

  async #prepare(request: VmToContainerRequest, cleanup: CleanupStack) {
    const { cache, env } = this.settings
    const reading = this.reporter.stage(`read ${request.machine}`)
    const folder = await makeTemporaryFolder(join(cache, 'temporary'), 'machine')
    cleanup.defer(() => folder[Symbol.asyncDispose]())
    const { machine: _, ...options } = request
    const context = {
      ...options,
      menus: this.registry.menus(),
      temporaryFolder: folder.path,
      cache,
      env,
      signal: this.signal,
      reporter: this.reporter,
    }
    const machine = await openMachine(machineTarget(request.machine), context, cleanup)
    reading()
    throwIfAborted(this.signal)

    const deciding = this.reporter.stage('find what stays behind')
    // it is looked at from many sides
    const whole = await rememberRootfs(machine.rootfs)
    const known = await know(whole, request.distro, this.registry, this.reporter)
    const original = request.onlyOriginal ? await takeOriginal(whole, folder.path, this.reporter, cleanup) : whole
    const stripped = await strip(original, known.findings.cleaning, request)
    const chosen = await chooseProcess(request.init, known.findings, whole)
    const time = await treeTime(stripped.rootfs, env)
    const rootfs = editRootfs(stripped.rootfs, { time: { seconds: time, nanoseconds: 0 } })
    if (request.excludeSecrets) await lockAccounts(rootfs)
    await this.#adapt(rootfs, chosen)
    deciding()
    const plan = await this.#describe(request, machine, known, stripped, chosen, rootfs, time)
    this.#warn(plan)
    return { plan, chosen, known, rootfs }
  }

  /** What the process needs of the tree. */
  async #adapt(rootfs: RootfsEdit, { steps, process }: ChosenProcess): Promise<void> {
    const context: StepContext = {
      rootfs,
      disk: { table: 'gpt', id: '', partitions: [] },
      places: new Map(),
      signal: this.signal,
      random: () => {
        throw new Error('nothing in an image is random')
      },
      warn: (message) => this.reporter.warn(message),
    }
    await configure(steps, context)
    for (const { path, mode, uid, gid } of process.directories ?? []) {
      if ((await rootfs.stat(relative(path))) !== undefined) continue
      await rootfs.put({ path: relative(path), type: 'directory', mode, uid, gid })
    }
  }

  async #describe(
    request: VmToContainerRequest,
    { root, reasons, mounts }: OpenedMachine,
    { os, distro, architecture, findings }: Known,
    { rules, secrets, leftOut, droppedAttributes }: Stripped,
    { id, because, ports }: ChosenProcess,
    rootfs: Rootfs,
    time: number,
  ): Promise<ImagePlan> {
    return {
      root,
      reasons,
      mounts,
      ...(os === undefined ? {} : { os: os.prettyName }),
      ...(distro === undefined ? {} : { distro }),
      architecture,
      created: new Date(time * 1000).toISOString().replace('.000Z', 'Z'),
      ...(await rootfsSummary(rootfs)),
      cleaning: rules,
      leftOut,
      droppedAttributes,
      secrets,
      secretsExcluded: request.excludeSecrets,
      init: { id, because },
      ports,
      services: findings.services,
      volumes: suggestedVolumes(findings),
    }
  }

  /** Secrets are told before the image exists. */
  #warn(plan: ImagePlan): void {
    const { secrets, secretsExcluded, leftOut, cleaning } = plan
    if (secrets.length > 0 && !secretsExcluded) {
      const listed = secrets.map(({ path, kind }) => `  /${path} (${kind})`).join('\n')
      this.reporter.warn(
        `${secrets.length} files look like secrets and go into the image; --exclude-secrets leaves them out:\n${listed}`,
      )
    }
    if (lacksHostKeys(plan)) {
      this.reporter.info(
        'the SSH server does not start before it has keys again: ssh-keygen -A in the container makes them',
      )
    }
    const sparse = cleaning.find(({ id, applied, removed }) => id === SPARSE && !applied && removed > 0)
    if (sparse !== undefined) {
      const listed = sparse.samples.map((path) => `/${path}`).join(', ')
      this.reporter.warn(`holes are kept, which an image stores as zeros, ${sparse.bytes} bytes in all: ${listed}`)
    }
    if (leftOut.length > 0) {
      const listed = leftOut.map(({ path, why }) => `  /${path}: ${why}`).join('\n')
      this.reporter.info(`${leftOut.length} entries that an image cannot hold stay behind:\n${listed}`)
    }
  }
}

const SSH_SERVER = /^(?:service=)?(?:sshd?|openssh|openssh-server)(?:\.service)?$/

/** Whether the container runs an SSH server whose keys stay behind. */
function lacksHostKeys({ cleaning, init, services }: ImagePlan): boolean {
  if (!cleaning.some(({ id, applied, removed }) => id === 'ssh-host-keys' && applied && removed > 0)) return false
  if (init.id === 'shell' || init.id === 'none') return false
  return init.id.startsWith('service=') ? SSH_SERVER.test(init.id) : services.some(({ name }) => SSH_SERVER.test(name))
}

function suggestedVolumes({ services, dataDirectories = [] }: MachineFindings): ImagePlan['volumes'] {
  const ofServices = services.flatMap(({ name, volumes }) => volumes.map((path) => ({ path, note: `data of ${name}` })))
  const seen = new Set<string>()
  return [...ofServices, ...dataDirectories].filter(({ path }) => !seen.has(path) && seen.add(path))
}

/** What a container that does what the machine did is started with; where the image is already, that comes next. */
function commands(
  { output, tags }: VmToContainerRequest,
  { ports, runArguments, process }: ChosenProcess,
  { nextCommand }: WrittenImage,
): { nextCommand: string; runCommand?: string } {
  const destination = parseDestination(output)
  const own = 'image' in destination ? destination.image : 'name' in destination ? destination.name : undefined
  const name = own === undefined ? tags[0] : familiarName(own)
  if (name === undefined) return { nextCommand }
  const publish = ports.flatMap((port) => ['-p', `${port.split('/')[0]}:${port}`])
  const runs = process.entrypoint.length + (process.cmd ?? []).length > 0
  const words = ['docker run --rm', ...runArguments, ...publish, name, ...(runs ? [] : ['/bin/sh'])]
  const runCommand = words.join(' ')
  return { nextCommand: 'image' in destination ? runCommand : nextCommand, runCommand }
}
