import { checkDestination, parseDestination, writeImage, type WrittenImage } from '@c2m/image'
import type { RootfsEdit, StepContext } from '@c2m/plugin-api'
import { CleanupStack, makeCacheFolder, throwIfAborted, type Reporter } from '@c2m/process'
import { editRootfs, rememberRootfs } from '@c2m/rootfs'
import { inject, injectable } from 'tsyringe'
import { machineFiles, machineName, machineTarget, openMachine } from '../machine/open-machine.js'
import type { PluginRegistry } from '../plugins/registry.js'
import type { VmToContainerRequest } from '../request/vm-to-container.js'
import { configure } from '../steps/configure.js'
import { REGISTRY, REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'
import { sourceDateEpoch } from '../time.js'
import { lockAccounts } from './accounts.js'
import { annotations, imageConfig } from './config.js'
import { know } from './findings.js'
import { describeImage, type ImagePlan } from './image-plan.js'
import { layersOf } from './layers.js'
import { takeOriginal } from './original.js'
import { chooseProcess, provide, type ChosenProcess } from './process.js'
import { commands } from './run-command.js'
import { strip } from './strip.js'
import { treeTime } from './tree-time.js'
import { warnOfImage } from './warnings.js'

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
    const options = {
      tags: request.tags,
      compression: request.compression,
      level: request.level,
      force: request.force,
      cache: this.settings.cache,
      env: this.settings.env,
      signal: this.signal,
      reporter: this.reporter,
    }
    const target = machineTarget(request.machine)
    const inputs = async () => [...(await machineFiles(target, request)), request.passphraseFile]
    await checkDestination(request.output, options, inputs)
    await using cleanup = new CleanupStack()
    const { plan, chosen, known, rootfs } = await this.#prepare(request, cleanup)
    const name = machineName(target)
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
      options,
    )
    done()
    return { ...written, plan, ...commands(request, chosen, written) }
  }

  async #prepare(request: VmToContainerRequest, cleanup: CleanupStack) {
    const { cache, env } = this.settings
    const pretended = sourceDateEpoch(env)
    const reading = this.reporter.stage(`read ${request.machine}`)
    const folder = await makeCacheFolder(cache)
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
    const whole = await rememberRootfs(machine.rootfs, this.signal)
    const known = await know(whole, request.distro, this.registry, this.reporter, request.excludeSecrets)
    const original = request.onlyOriginal ? await takeOriginal(whole, folder.path, this.reporter, cleanup) : whole
    const stripped = await strip(original, known.findings.cleaning, request)
    const chosen = await chooseProcess(request.init, known.findings, whole)
    const time = pretended ?? (await treeTime(stripped.rootfs))
    const rootfs = editRootfs(stripped.rootfs, { time: { seconds: time, nanoseconds: 0 } })
    if (request.excludeSecrets) await lockAccounts(rootfs)
    await this.#adapt(rootfs, chosen)
    deciding()
    const plan = await describeImage(request, { ...machine, rootfs: whole }, known, stripped, chosen, rootfs, time)
    warnOfImage(plan, this.reporter)
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
    for (const directory of process.directories ?? []) await provide(rootfs, directory)
  }
}
