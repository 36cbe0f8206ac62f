import type { ExecStep, Rootfs, TemporaryFileStep } from '@c2m/plugin-api'
import { CleanupStack, isC2mError, silentReporter, throwIfAborted, type Reporter } from '@c2m/process'
import { rm } from 'node:fs/promises'
import { requireArchitecture } from './guest/architecture.js'
import { openWorkplace } from './guest/workplace.js'
import { writeLayer } from './layer/write.js'
import { runInEngine } from './docker/engine.js'
import { openStepLimits } from './limits/step-limits.js'
import type { NetworkMode } from './network/network.js'

export type SandboxMode = 'userns' | 'root' | 'docker'

export interface SandboxTask {
  /** Merged tree of the image. */
  readonly base: Rootfs
  /** Identity of the base, e.g. a hash of its diff_ids: names the cached unpack. */
  readonly baseId: string
  /** GOARCH of the image's programs. */
  readonly architecture: string
  /** Run in this order over one tree; what a step leaves running ends with it. */
  readonly steps: readonly (ExecStep | TemporaryFileStep)[]
  /** Directories of the image that are kept on the host across runs and are no part of the result. */
  readonly packageCaches: readonly string[]
  /** Names the package caches, with the base: an image that fills them with its own packages harms only itself. */
  readonly cacheGroup: string
  /** Seconds; what is newer gets this time in the result. */
  readonly sourceDateEpoch: number
  /** Directories of which only the directory itself belongs into the result; default: what exists while a machine runs. */
  readonly volatile?: readonly string[]
}

export interface SandboxOptions {
  readonly cache: string
  /** 'userns': as nobody in a user namespace. 'root': the image is trusted. 'docker': by a container engine. */
  readonly mode: SandboxMode
  readonly signal?: AbortSignal | undefined
  readonly reporter?: Reporter
  /** Where proxy variables are taken from; default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv
  /** What the image's programs reach; default: 'http'. */
  readonly network?: NetworkMode
  /** For each step; default: two hours. */
  readonly seconds?: number
  /** Where changes are kept while the steps run; default: memory when there is enough. */
  readonly work?: 'memory' | 'disk'
}

/**
 * Runs steps in an image's tree and writes what they changed to `output` as an uncompressed OCI layer. Neither the tree
 * nor the host is changed; when it fails or is interrupted, no process, mount or file stays.
 * @throws C2M_SANDBOX_STEP_FAILED with the step's last lines; C2M_SANDBOX_… when the host does not allow it;
 *   C2M_TOOL_MISSING; C2M_INTERRUPTED
 */
export async function runSandbox(task: SandboxTask, output: string, options: SandboxOptions): Promise<void> {
  throwIfAborted(options.signal)
  await requireArchitecture(task.architecture)
  if (options.mode === 'docker') return runInEngine(task, output, options)
  try {
    await runInNamespaces(task, output, options)
  } catch (error) {
    await rm(output, { force: true })
    if (!(error instanceof MemoryFull)) throw error
    if (options.work === 'memory') throw error.cause
    options.reporter?.info('the packages need more memory than there is; installing them on disk instead')
    await runInNamespaces(task, output, { ...options, work: 'disk' })
  }
}

/** The steps failed, and the memory for changes was full. */
class MemoryFull extends Error {}

async function runInNamespaces(task: SandboxTask, output: string, options: SandboxOptions): Promise<void> {
  const { signal, reporter = silentReporter } = options
  await using cleanup = new CleanupStack()
  const limits = await openStepLimits(options.cache, options.seconds)
  cleanup.defer(() => limits[Symbol.asyncDispose]())
  const workplace = await openWorkplace(task, { ...options, network: options.network ?? 'http' }, cleanup)
  const { session, guest, network, mapped } = workplace
  try {
    for (const file of network.files) await guest.put(file)
    for (const step of task.steps) {
      if (step.do === 'temporaryFile') await guest.put(step)
      else await guest.exec(step, limits)
    }
  } catch (error) {
    throwIfAborted(signal)
    if (isC2mError(error) && error.code === 'C2M_SANDBOX_LIMIT') throw error
    if (await guest.isFull()) throw new MemoryFull('no memory left', { cause: error })
    throw error
  }
  await guest.finish()
  await writeLayer(session, output, { task, mapped, reporter, signal })
}
