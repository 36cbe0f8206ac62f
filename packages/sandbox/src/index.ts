export { runSandbox, type SandboxMode, type SandboxOptions, type SandboxTask } from './sandbox.js'
export {
  packageLayer,
  type PackageLayer,
  type PackageLayerOptions,
  type PackageLayerTask,
} from './cache/package-layer.js'
export { listCache, pruneCache, type CacheItem, type PruneOptions } from './cache/cache.js'
export { checkSandbox } from './namespace/check.js'
export { runShell, type ShellLayer, type ShellOptions, type ShellTask } from './shell/shell.js'
export type { Limits } from './shell/cgroup.js'
export type { Volume } from './shell/volume.js'
export { GUEST_PATH, proxyVariables } from './guest/environment.js'
