import { convertRawDisk, outputFile } from '@c2m/disk'
import { verifyBoot, type VerifyReport } from '@c2m/qemu'
import { editRootfs, mergeLayers, type Layer } from '@c2m/rootfs'
import type { StepContext } from '@c2m/plugin-api'
import { C2mError, CleanupStack, throwIfAborted, type Reporter } from '@c2m/process'
import { rename, rm, stat } from 'node:fs/promises'
import { inject, injectable } from 'tsyringe'
import { Planner } from './planner.js'
import { summarize, type Plan, type PlanSummary } from './plan.js'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'
import { REPORTER, SIGNAL } from '../tokens.js'
import { recordAdded } from './added.js'
import { assemble } from './assemble.js'
import { configure } from '../steps/configure.js'
import { PackageLayer } from './package-layer.js'

export interface ContainerToVmResult {
  readonly output: string
  readonly format: string
  /** The machine's disk, in bytes. */
  readonly diskBytes: number
  /** What the file takes on this host, in bytes. */
  readonly fileBytes: number
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
  ) {}

  async plan(request: ContainerToVmRequest): Promise<PlanSummary> {
    await using cleanup = new CleanupStack()
    return summarize(await this.planner.plan(request, cleanup))
  }

  async run(request: ContainerToVmRequest): Promise<ContainerToVmResult> {
    await using cleanup = new CleanupStack()
    // before any work: a name that cannot be written is better known now
    const output = await outputFile(request.output, { force: request.force })
    cleanup.defer(() => output[Symbol.asyncDispose]())
    const plan = await this.planner.plan(request, cleanup)
    for (const warning of plan.warnings) this.reporter.warn(warning)

    const layer = await this.packages.make(plan, request)
    if (layer !== undefined) cleanup.defer(() => layer[Symbol.asyncDispose]())
    const rawPath = request.format === 'raw' ? output.path : `${output.path}.raw`
    if (rawPath !== output.path) cleanup.defer(() => rm(rawPath, { force: true }))
    const diskBytes = await this.#build(plan, layer, request, rawPath)
    if (rawPath !== output.path) {
      const done = this.reporter.stage(`write ${request.format}`)
      const { format, subformat } = request
      await convertRawDisk(rawPath, output.path, format, { signal: this.signal, subformat, random: plan.random })
      done()
    }
    const verified = request.verify ? await this.#verify(plan, request, output.path) : []
    throwIfAborted(this.signal)
    await output.commit()
    const fileBytes = (await stat(request.output)).blocks * 512
    return { output: request.output, format: request.format, diskBytes, fileBytes, plan: summarize(plan), verified }
  }

  async #build(plan: Plan, layer: Layer | undefined, request: ContainerToVmRequest, path: string): Promise<number> {
    const configuring = this.reporter.stage('configure the machine')
    await using tree = await mergeLayers(layer === undefined ? plan.layers : [...plan.layers, layer])
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
    const size = await assemble(plan, { path, size: request.size, context, reporter: this.reporter })
    assembling()
    return size
  }

  /** A disk that does not boot is kept only under a name that says so. */
  async #verify(plan: Plan, request: ContainerToVmRequest, path: string): Promise<VerifyReport[]> {
    const { firmware, image } = plan
    const done = this.reporter.stage(`verify: boot with ${firmware.join(' and ')}`)
    try {
      const reports = await verifyBoot({
        disk: path,
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
      if (this.signal.aborted) throw error
      const kept = `${request.output}.does-not-boot`
      await rename(path, kept)
      this.reporter.warn(`the disk was kept as ${kept}`)
      throw error
    }
  }
}
