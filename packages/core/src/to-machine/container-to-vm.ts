import { convertRawDisk, type BlockDevice } from '@c2m/disk'
import { parseReference } from '@c2m/image'
import { sshKeyText } from '@c2m/linux'
import { verifyBoot, type VerifyReport } from '@c2m/qemu'
import { editRootfs, mergeLayers, rootfsSummary, type Layer } from '@c2m/rootfs'
import type { StepContext } from '@c2m/plugin-api'
import {
  C2mError,
  checkOutput,
  CleanupStack,
  outputFile,
  refuseSameFile,
  shown,
  throwIfAborted,
  type OutputFile,
  type Reporter,
} from '@c2m/process'
import { rm, stat } from 'node:fs/promises'
import { inject, injectable } from 'tsyringe'
import { Planner } from './planner.js'
import { summarize, type Plan, type PlanSummary } from './plan.js'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'
import { REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'
import { recordAdded } from './added.js'
import { assemble, type AssembledDisk } from './assemble.js'
import { configure } from '../steps/configure.js'
import { PackageLayer } from './package-layer.js'
import { checkRoom, deviceOutput, findTargetDevice, overwriteError, type DeviceOutput } from './target-device.js'

/** Ending of the name under which a disk is kept that --verify found not to boot. */
const DOES_NOT_BOOT = '.does-not-boot'

export interface ContainerToVmResult {
  readonly output: string
  readonly format: string
  /** The machine's disk, in bytes. */
  readonly diskBytes: number
  /** What the file takes on this host, in bytes; of a device, all of it. */
  readonly fileBytes: number
  /** The device that is now the machine's disk. */
  readonly device?: PlanSummary['device']
  readonly plan: PlanSummary
  readonly verified: readonly VerifyReport[]
}

/** An image becomes a disk: plan, package layer, configuration, assembly, format, and the proof that it boots. */
@injectable()
export class ContainerToVm {
  constructor(
    @inject(Planner) private readonly planner: Planner,
    @inject(PackageLayer) private readonly packages: PackageLayer,
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async plan(request: ContainerToVmRequest): Promise<PlanSummary> {
    await using cleanup = new CleanupStack()
    const target = await findTargetDevice(request)
    const plan = await this.planner.plan(request, cleanup)
    const { warnings } = plan
    if (target === undefined) return summarize(plan, request)
    const asked = request.force ? [] : [`${overwriteError(target).message}; that needs --force`]
    return summarize({ ...plan, warnings: [...warnings, ...asked] }, request, target)
  }

  async run(request: ContainerToVmRequest): Promise<ContainerToVmResult> {
    await using cleanup = new CleanupStack()
    // before any work: a name that cannot be written is better known now
    const target = await findTargetDevice(request)
    if (target !== undefined && !request.force) throw overwriteError(target)
    const image = parseReference(request.image)
    const inputs = () => Promise.resolve(['path' in image ? image.path : undefined, request.kernelFile])
    await refuseSameFile(request.output, inputs)
    if (request.verify && target === undefined) {
      await refuseSameFile(request.output + DOES_NOT_BOOT, inputs)
      await checkOutput(request.output + DOES_NOT_BOOT, request.force)
    }
    const output =
      target === undefined
        ? await outputFile(request.output, { force: request.force })
        : await deviceOutput(target, { folder: this.settings.cache, signal: this.signal, reporter: this.reporter })
    cleanup.defer(() => output[Symbol.asyncDispose]())
    const plan = await this.planner.plan(request, cleanup)
    const summary = summarize(plan, request, target)
    this.reporter.info(`sandbox: ${summary.sandbox}`)
    for (const key of summary.sshKeys) this.reporter.info(`ssh key: ${shown(sshKeyText(key))}`)
    for (const warning of plan.warnings) this.reporter.warn(warning)
    if (target !== undefined) checkRoom(plan.disk, (await rootfsSummary(plan.rootfs)).bytes, target)

    const layer = await this.packages.make(plan, request)
    if (layer !== undefined) cleanup.defer(() => layer[Symbol.asyncDispose]())
    const rawPath = request.format === 'raw' ? output.path : `${output.path}.raw`
    if (rawPath !== output.path) cleanup.defer(() => rm(rawPath, { force: true }))
    const disk = await this.#build(plan, layer, request, rawPath, target?.device)
    if (rawPath !== output.path) {
      const done = this.reporter.stage(`write ${request.format}`)
      const { format, subformat } = request
      await convertRawDisk(rawPath, output.path, format, { signal: this.signal, subformat, random: plan.random })
      done()
    }
    const verified = request.verify ? await this.#verify(plan, request, output) : []
    throwIfAborted(this.signal)
    await output.commit(disk.end)
    return {
      output: request.output,
      format: request.format,
      diskBytes: disk.size,
      fileBytes: target === undefined ? (await stat(request.output)).blocks * 512 : disk.size,
      ...(summary.device === undefined ? {} : { device: summary.device }),
      plan: summary,
      verified,
    }
  }

  async #build(
    plan: Plan,
    layer: Layer | undefined,
    { size }: ContainerToVmRequest,
    path: string,
    device: BlockDevice | undefined,
  ): Promise<AssembledDisk> {
    const configuring = this.reporter.stage('configure the machine')
    await using tree = await mergeLayers(layer === undefined ? plan.layers : [...plan.layers, layer], this.signal)
    await using rootfs = editRootfs(tree, { time: { seconds: plan.epoch, nanoseconds: 0 } })
    const context: StepContext = {
      rootfs,
      disk: plan.disk,
      places: new Map(),
      signal: this.signal,
      random: plan.random,
      warn: (message) => this.reporter.warn(message),
    }
    await configure(plan.steps, context)
    if ((await plan.kernels(rootfs)).length === 0) {
      throw new C2mError('C2M_NO_KERNEL', 'the machine has no kernel: none is in the image and none was installed', {
        hint: 'choose one with --kernel, or an image that has one in /boot',
      })
    }
    await recordAdded(plan, layer, rootfs)
    configuring()
    const assembling = this.reporter.stage('assemble the disk')
    const disk = await assemble(plan, { path, size, deviceBytes: device?.size, context, reporter: this.reporter })
    assembling()
    return disk
  }

  /** A disk that does not boot is kept only under a name that says so, and comes onto no device. */
  async #verify(plan: Plan, request: ContainerToVmRequest, output: OutputFile | DeviceOutput): Promise<VerifyReport[]> {
    const { firmware, image } = plan
    const done = this.reporter.stage(`verify: boot with ${firmware.join(' and ')}`)
    try {
      const reports = await verifyBoot({
        disk: output.path,
        format: request.format,
        firmwares: firmware,
        architecture: image.architecture,
        networkExpected: request.machine.network.mode !== 'none',
        signal: this.signal,
        reporter: this.reporter,
      })
      done()
      return reports
    } catch (error) {
      if (this.signal.aborted || !('commitAs' in output)) throw error
      const kept = request.output + DOES_NOT_BOOT
      await output.commitAs(DOES_NOT_BOOT).then(
        () => this.reporter.warn(`the disk was kept as ${kept}`),
        (why: unknown) => this.reporter.warn(`the disk was not kept as ${kept}: ${(why as Error).message}`),
      )
      throw error
    }
  }
}
