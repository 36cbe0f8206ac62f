import { parseDestination } from '@c2m/image'
import { CleanupStack, makeCacheFolder, usageError, type Reporter } from '@c2m/process'
import { hasUserNetwork, runShell, type NetworkMode, type ShellTask } from '@c2m/sandbox'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { inject, injectable } from 'tsyringe'
import { ImageLayers, type LayeredImage } from '../image-layers.js'
import type { ShellRequest } from '../request/shell.js'
import { REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'
import { baseIdentity } from '../to-machine/package-layer.js'
import { commandOf, directoryOf, environmentOf } from './command.js'
import { Commit, commitTime, type Committed } from './commit.js'
import { resolveUser } from './user.js'

export interface ShellResult {
  readonly image: string
  readonly command: readonly string[]
  /** Of the command; 128 and the signal's number when a signal ended it. */
  readonly exitCode: number
  /** Absent when it was not asked for, or the command failed. */
  readonly committed?: Committed
}

/** A command runs in an image's tree; what it changed is forgotten, or becomes a new image. */
@injectable()
export class Shell {
  constructor(
    @inject(ImageLayers) private readonly images: ImageLayers,
    @inject(Commit) private readonly commit: Commit,
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async run(request: ShellRequest): Promise<ShellResult> {
    await using cleanup = new CleanupStack()
    // before any work: a name that cannot be written is better known now
    if (request.commit !== undefined) await this.#checkCommit(request.commit, request)
    const opened = await this.images.open(request.image, request.platform, cleanup)
    const task = await this.#task(request, opened)
    // by a name that the next run knows as one to sweep
    const folder = await makeCacheFolder(this.settings.cache)
    cleanup.defer(() => folder[Symbol.asyncDispose]())
    const layer = join(folder.path, 'layer.tar')
    const time = () => commitTime(this.settings.env)
    const exitCode = await runShell(task, {
      cache: this.settings.cache,
      env: this.settings.env,
      signal: this.signal,
      reporter: this.reporter,
      descriptors: request.descriptors,
      terminal: request.terminal,
      ...(request.onRunning === undefined ? {} : { onRunning: request.onRunning.bind(request) }),
      ...(request.commit === undefined
        ? {}
        : { layer: { path: layer, wanted: (code: number) => isWanted(code, request), time } }),
    })
    const result = { image: request.image, command: task.argv, exitCode }
    if (request.commit === undefined) return result
    if (!isWanted(exitCode, request)) {
      this.reporter.warn(`nothing was written to ${request.commit}: the command ended with exit code ${exitCode}`)
      return result
    }
    const wanted = { ...request, commit: request.commit }
    const committed = await this.commit.write(layer, opened, task.argv, wanted).catch(async (error: unknown) => {
      await this.#keep(layer)
      throw error
    })
    return { ...result, committed }
  }

  /** What hours of work changed is not lost because a registry does not answer or a disk is full. */
  async #keep(layer: string): Promise<void> {
    const name = `changes-${new Date().toISOString().replace(/\W/g, '')}-${process.pid}.tar`
    const kept = join(this.settings.cache, name)
    await rename(layer, kept)
    this.reporter.warn(`the changes are kept as an OCI layer, until the cache is pruned: ${kept}`)
  }

  /** The host's own is nothing for a stranger's image, and a command is not to fail for the lack of another. */
  async #network(): Promise<NetworkMode> {
    if (await hasUserNetwork()) return 'private'
    this.reporter.info(
      'the image’s programs reach what this host reaches, its own services on the loopback device among it: slirp4netns (apt-get install slirp4netns) gives them a network of their own, --net none nothing',
    )
    return 'host'
  }

  async #checkCommit(destination: string, request: ShellRequest): Promise<void> {
    const target = parseDestination(destination)
    if ('path' in target && target.path === '-')
      throw usageError('C2M_FLAG_CONFLICT', 'standard output is the command’s, no image can go there', 'name a file')
    if ((target.transport === 'tarball' || target.transport === 'dockerfile') && !request.squash)
      throw usageError('C2M_FLAG_CONFLICT', `${target.transport}: has no room for layers`, 'add --squash')
    await this.commit.check(destination, request)
  }

  async #task(request: ShellRequest, { image, rootfs }: LayeredImage): Promise<ShellTask> {
    const { config } = image
    const { home, ...user } = await resolveUser(request.user ?? config.user ?? '', rootfs)
    return {
      base: rootfs,
      baseId: baseIdentity(image),
      architecture: image.architecture,
      argv: await commandOf(request.command, config, rootfs),
      environment: environmentOf(config, request.environment, {
        home,
        terminal: request.terminal ? (this.settings.env.TERM ?? 'xterm') : undefined,
      }),
      user,
      workingDirectory: await directoryOf(request.workingDirectory ?? config.workingDir ?? '/', rootfs),
      network: request.network ?? (await this.#network()),
      volumes: request.volumes,
      limits: request.limits,
    }
  }
}

/**
 * A command that failed has not made what it was to make. The exit code of a shell in which somebody typed says nothing: it
 * is that of the last line, unless a signal ended it.
 */
function isWanted(exitCode: number, { command }: ShellRequest): boolean {
  return exitCode === 0 || (command.length === 0 && exitCode < 128)
}
