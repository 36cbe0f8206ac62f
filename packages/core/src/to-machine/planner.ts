import type { OpenedImage } from '@c2m/image'
import { planDisk } from '@c2m/disk'
import type { BootloaderPlugin, BootTarget, BootTask, DistroTraits, MachineTask, Rootfs, Step } from '@c2m/plugin-api'
import { C2mError, isC2mError, type CleanupStack, type Reporter } from '@c2m/process'
import { inject, injectable } from 'tsyringe'
import { ImageLayers } from '../image-layers.js'
import type { PluginRegistry, Provided } from '../plugins/registry.js'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'
import { reproducibility } from '../request/randomness.js'
import { REGISTRY, REPORTER, SETTINGS, type Settings } from '../tokens.js'
import { chooseBootloaders } from './bootloaders.js'
import { chooseKernel } from './kernel.js'
import { chosenDistro, detectDistro } from '../plugins/detect.js'
import { partitionRequests } from './partitions.js'
import type { Plan } from './plan.js'

/** Seconds for which a boot menu is shown. */
const MENU_TIMEOUT = 2

const UNCONFINED =
  "with the sandbox 'root', programs of the image are run as this host's root: they can do everything to this host"

/** Opens the image and lets the plugins say what is to be done; nothing is done yet. */
@injectable()
export class Planner {
  constructor(
    @inject(ImageLayers) private readonly images: ImageLayers,
    @inject(REGISTRY) private readonly registry: PluginRegistry,
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Resources of the plan (the opened image and its tree) are given to `cleanup`. */
  async plan(request: ContainerToVmRequest, cleanup: CleanupStack): Promise<Plan> {
    const { image, layers, rootfs } = await this.images.open(request.image, request.platform, cleanup)
    const detected =
      request.distro === undefined
        ? await detectDistro(rootfs, this.registry, this.reporter)
        : await chosenDistro(request.distro, rootfs, this.registry)
    const { distro, match } = detected
    const { architecture } = image
    const warnings: string[] = []
    const warn = (message: string) => warnings.push(message)
    if (request.sandbox === 'root') warn(UNCONFINED)

    const traits = named(distro, () => distro.contribution.traits(match, architecture, request.target))
    const givenKernel = await chooseKernel(
      { request, distro: distro.contribution, traits, architecture, rootfs },
      cleanup,
      warn,
    )
    const target: BootTarget = { table: request.table, architecture, physical: request.target === 'physical' }
    const bootloaders = chooseBootloaders(request, target, traits, this.registry)
    const times = reproducibility({
      seed: request.seed,
      env: this.settings.env,
      imageDigest: image.digest,
      imageTime: await imageTime(image, rootfs),
      now: Date.now(),
    })
    const disk = planDisk({
      table: request.table,
      architecture,
      requests: partitionRequests(bootloaders, target, request),
      random: times.random,
    })

    const task: MachineTask = {
      match,
      architecture,
      traits,
      image: image.config,
      rootfs,
      machine: request.machine,
      givenKernel,
      target: request.target,
      disk,
      warn,
    }
    const kernels = (tree: Rootfs) => distro.contribution.kernels(tree)
    const members = bootloaders.map(({ contribution }) => contribution.id)
    const bootTask: BootTask = {
      architecture,
      packageManager: traits.packageManager,
      members,
      disk,
      cmdline: [...(traits.cmdline ?? []), ...request.machine.cmdline],
      consoles: request.machine.consoles,
      osName: match.os.prettyName,
      osId: match.os.id,
      timeout: MENU_TIMEOUT,
      kernels,
    }

    const fromDistro = await named(distro, () => distro.contribution.toMachine(task))
    const fromBootloaders = bootloaders.flatMap((one) => named(one, () => one.contribution.install(bootTask)))
    const packages = collectPackages(fromDistro, [
      ...bootloaders.flatMap((one) => named(one, () => one.contribution.packages(bootTask))),
      ...request.machine.packages,
    ])
    const installing = await named(distro, () => distro.contribution.install(packages, task))
    const steps = order([...idleCommands(this.registry), ...installing, ...fromDistro, ...fromBootloaders])
    return {
      image,
      layers,
      rootfs,
      detected,
      bootloaders,
      firmware:
        request.firmware === undefined
          ? [...new Set(bootloaders.flatMap(({ contribution }) => contribution.firmware))]
          : [request.firmware],
      disk,
      ext4Features: readableFeatures(traits, bootloaders),
      packages,
      packageCaches: traits.packageCaches,
      steps,
      format: request.format,
      warnings,
      ...times,
      kernels,
    }
  }
}

/** When the image was made, in seconds since the epoch; of an image that does not say, its newest file's time. */
async function imageTime(image: OpenedImage, rootfs: Rootfs): Promise<number> {
  const created = Date.parse((image.rawConfig as { created?: string } | undefined)?.created ?? '')
  if (created > 0) return Math.floor(created / 1000)
  let newest = 0
  for await (const { mtime } of rootfs.walk()) newest = Math.max(newest, mtime.seconds)
  return Math.min(newest, Math.floor(Date.now() / 1000))
}

function readableFeatures(
  { ext4Features }: DistroTraits,
  bootloaders: readonly Provided<BootloaderPlugin>[],
): readonly string[] {
  const unreadable = bootloaders.flatMap(({ contribution }) => contribution.unreadableExt4Features ?? [])
  return ext4Features.filter((feature) => !unreadable.includes(feature))
}

/** Of every boot loader, not only the chosen ones: an image may have another one installed, whose hooks kernels call. */
function idleCommands(registry: PluginRegistry): readonly Step[] {
  const names = registry.bootloaders().flatMap(({ contribution }) => contribution.diskCommands ?? [])
  return [...new Set(names)].sort().map((name) => ({
    id: `idle/${name}`,
    title: `put a ${name} that does nothing`,
    phase: 'packages',
    do: 'temporaryFile',
    path: `/usr/local/sbin/${name}`,
    content: '#!/bin/sh\nexit 0\n',
    mode: 0o755,
  }))
}

function collectPackages(steps: readonly Step[], more: readonly string[]): readonly string[] {
  const listed = steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
  return [...new Set([...listed, ...more])].sort()
}

const PHASES: readonly Step['phase'][] = ['packages', 'configure', 'boot', 'assemble']

function order(steps: readonly Step[]): readonly Step[] {
  const ids = new Set<string>()
  for (const { id } of steps) {
    if (ids.has(id)) throw new C2mError('C2M_PLUGIN_STEP_ID', `two steps of the plan have the id '${id}'`)
    ids.add(id)
  }
  return PHASES.flatMap((phase) => steps.filter((step) => step.phase === phase))
}

/** Errors of a plugin carry its name; those that are c2m's own pass unchanged. */
function named<T>(provider: Provided<unknown>, call: () => T): T {
  const wrap = (error: unknown) =>
    isC2mError(error)
      ? error
      : new C2mError('C2M_PLUGIN_FAILED', `plugin ${provider.packageName}: ${(error as Error).message}`, {
          plugin: provider.packageName,
          cause: error,
        })
  try {
    const result = call()
    if (result instanceof Promise) return result.catch((error: unknown) => Promise.reject(wrap(error))) as T
    return result
  } catch (error) {
    throw wrap(error)
  }
}
