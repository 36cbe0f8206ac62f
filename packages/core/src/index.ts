export { createConverter, type Converter, type ConverterOptions } from './converter.js'
export { PluginRegistry, type BrokenPlugin, type FoundPlugin, type LoadedPlugin } from './plugins/registry.js'
export { API_VERSIONS, findFault } from './plugins/validate.js'
export {
  defaultConsoles,
  defaultMachine,
  type ContainerToVmRequest,
  type SandboxMode,
} from './request/container-to-vm.js'
export { checkPasswordHash, hashPassword } from './request/password.js'
export { randomnessFrom, type Randomness } from './request/randomness.js'
export { secret } from './request/secret.js'
export { configure, evaluate } from './steps/configure.js'
export type { ContainerToVmResult } from './to-machine/container-to-vm.js'
export type { DiskInspection } from './inspect/disk.js'
export type { ImageInspection } from './inspect/image.js'
export type { PlanSummary } from './to-machine/plan.js'
export { checkHost, type HostCheck } from './host/check.js'
export { listCache, pruneCache, type CacheItem } from '@c2m/sandbox'
export { parseReference } from '@c2m/image'
export { machineName, machineTarget } from './machine/open-machine.js'
export type { InitRequest, ReaderId, VmToContainerRequest } from './request/vm-to-container.js'
export type { ImagePlan } from './to-image/image-plan.js'
export type { VmToContainerResult } from './to-image/vm-to-container.js'
export { parseDestination, type LayerCompression } from '@c2m/image'
export { findBlockDevice, formatForFile, sniffDiskFormat } from '@c2m/disk'
export type { ShellRequest } from './request/shell.js'
export type { Committed } from './shell/commit.js'
export type { ShellResult } from './shell/shell.js'
