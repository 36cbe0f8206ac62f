export { runSandbox, type SandboxMode, type SandboxOptions, type SandboxTask } from './sandbox.js'
export {
  packageLayer,
  type PackageLayer,
  type PackageLayerOptions,
  type PackageLayerTask,
} from './cache/package-layer.js'
export { listCache, pruneCache, type CacheItem, type PruneOptions } from './cache/cache.js'
export { probeConfinement, type Confinement } from './container/confinement.js'
export { checkSandbox } from './namespace/check.js'
export { runShell, type ShellLayer, type ShellOptions, type ShellTask } from './shell/shell.js'
export type { Limits } from './limits/cgroup.js'
export type { Volume } from './shell/volume.js'
export { GUEST_PATH } from './guest/environment.js'
export { hasUserNetwork } from './network/slirp4netns.js'
export type { NetworkMode } from './network/network.js'
