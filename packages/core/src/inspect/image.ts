import { findOsRelease } from '@c2m/linux'
import { openImage } from '@c2m/image'
import { rootfsSummary } from '@c2m/rootfs'
import type { ImageConfig } from '@c2m/plugin-api'
import { isC2mError, type Reporter } from '@c2m/process'
import { inject, injectable } from 'tsyringe'
import { detectDistro } from '../plugins/detect.js'
import type { PluginRegistry } from '../plugins/registry.js'
import { REGISTRY, REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'

export interface ImageInspection {
  readonly kind: 'image'
  readonly name: string
  /** Absent for a directory. */
  readonly digest?: string
  readonly platform: string
  readonly layers: readonly string[]
  readonly entries: number
  /** Bytes of all regular files. */
  readonly bytes: number
  readonly config: ImageConfig
  /** os-release's PRETTY_NAME; undefined when the image has none. */
  readonly os?: string
  /** The plugin that makes a machine of it, or why none does. */
  readonly distro?: { readonly id: string; readonly plugin: string }
  readonly notSupported?: string
  readonly kernels: readonly string[]
}

@injectable()
export class ImageInspector {
  constructor(
    @inject(REGISTRY) private readonly registry: PluginRegistry,
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async inspect(reference: string, platform?: string): Promise<ImageInspection> {
    const { cache, env } = this.settings
    await using image = await openImage(reference, {
      stdin: process.stdin,
      platform,
      cache,
      env,
      signal: this.signal,
      reporter: this.reporter,
    })
    await using rootfs = await image.rootfs()
    const { entries, bytes } = await rootfsSummary(rootfs)
    const os = await findOsRelease(rootfs)
    const common = {
      kind: 'image' as const,
      name: image.name,
      ...(image.digest === undefined ? {} : { digest: image.digest }),
      platform: `${image.os}/${image.architecture}`,
      layers: image.diffIds,
      entries,
      bytes,
      config: image.config,
      os: os?.prettyName,
    }
    try {
      const { distro } = await detectDistro(rootfs, this.registry, this.reporter)
      const kernels = (await distro.contribution.kernels(rootfs)).map(({ version }) => version)
      return { ...common, distro: { id: distro.contribution.id, plugin: distro.packageName }, kernels }
    } catch (error) {
      if (!isC2mError(error)) throw error
      return { ...common, notSupported: error.message, kernels: [] }
    }
  }
}
