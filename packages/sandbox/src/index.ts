export { runSandbox, type SandboxMode, type SandboxOptions, type SandboxTask } from './sandbox.js'
export { packageLayer, type PackageLayer, type PackageLayerOptions, type PackageLayerTask } from './cache/package-layer.js'
export { checkSandbox } from './namespace/check.js'
