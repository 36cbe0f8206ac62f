import { compose } from './container.js'
import { cacheFolder, silentReporter, type Reporter } from '@c2m/process'
import { DiskInspector, isDisk, type DiskInspection } from './inspect/disk.js'
import { ImageInspector, type ImageInspection } from './inspect/image.js'
import { PluginRegistry, type FoundPlugin } from './plugins/registry.js'
import type { PlanSummary } from './to-machine/plan.js'
import type { ContainerToVmRequest } from './request/container-to-vm.js'
import type { ShellRequest } from './request/shell.js'
import type { VmToContainerRequest } from './request/vm-to-container.js'
import { Shell, type ShellResult } from './shell/shell.js'
import type { ImagePlan } from './to-image/image-plan.js'
import { VmToContainer, type VmToContainerResult } from './to-image/vm-to-container.js'
import { ContainerToVm, type ContainerToVmResult } from './to-machine/container-to-vm.js'

export interface ConverterOptions {
  /** Plugin objects as their packages export them, or what a host found. */
  readonly plugins: readonly (FoundPlugin | object)[]
  /** Contribution id → package, for ids that several plugins contribute. */
  readonly overrides?: Readonly<Record<string, string>>
  /** Default: $C2M_CACHE_DIR, else $XDG_CACHE_HOME/c2m, else ~/.cache/c2m. */
  readonly cache?: string
  readonly reporter?: Reporter
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv
}

/** c2m as a library. */
export interface Converter {
  readonly plugins: PluginRegistry
  /** What would be done: opens the image, changes nothing. */
  plan(request: ContainerToVmRequest): Promise<PlanSummary>
  container2vm(request: ContainerToVmRequest): Promise<ContainerToVmResult>
  /** What would become of a machine: reads it, changes nothing. */
  planImage(request: VmToContainerRequest): Promise<ImagePlan>
  vm2container(request: VmToContainerRequest): Promise<VmToContainerResult>
  /** Runs a command in an image's tree; its changes are forgotten, or become a new image. */
  shell(request: ShellRequest): Promise<ShellResult>
  /** A disk when `target` is the path of one, else an image. */
  inspect(target: string, platform?: string): Promise<ImageInspection | DiskInspection>
}

export function createConverter(options: ConverterOptions): Converter {
  const env = options.env ?? process.env
  const registry = new PluginRegistry(options.plugins.map(asFound), options.overrides)
  const surroundings = {
    registry,
    reporter: options.reporter ?? silentReporter,
    signal: options.signal ?? new AbortController().signal,
    settings: { cache: options.cache ?? cacheFolder(env), env },
  }
  return {
    plugins: registry,
    plan: (request) => compose(surroundings).resolve(ContainerToVm).plan(request),
    container2vm: (request) => compose(surroundings).resolve(ContainerToVm).run(request),
    planImage: (request) => compose(surroundings).resolve(VmToContainer).plan(request),
    vm2container: (request) => compose(surroundings).resolve(VmToContainer).run(request),
    shell: (request) => compose(surroundings).resolve(Shell).run(request),
    inspect: async (target, platform) =>
      (await isDisk(target))
        ? compose(surroundings).resolve(DiskInspector).inspect(target)
        : compose(surroundings).resolve(ImageInspector).inspect(target, platform),
  }
}

function asFound(plugin: FoundPlugin | object): FoundPlugin {
  if ('packageName' in plugin) return plugin
  const name = (plugin as { name?: unknown }).name
  return {
    packageName: typeof name === 'string' ? name : '(unnamed)',
    packageVersion: '0',
    origin: 'library',
    from: '',
    exported: plugin,
  }
}
