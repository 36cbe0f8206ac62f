import { openImage, type OpenedImage } from '@c2m/image'
import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { makeCacheFolder, type CleanupStack, type Reporter } from '@c2m/process'
import { indexLayer, mergeLayers, packRootfs, type Layer } from '@c2m/rootfs'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { inject, injectable } from 'tsyringe'
import { REPORTER, SETTINGS, SIGNAL, type Settings } from './tokens.js'

/** An image whose layers can be read, and another one merged over them. */
export interface LayeredImage {
  readonly image: OpenedImage
  /** Lowest first. */
  readonly layers: readonly Layer[]
  readonly rootfs: Rootfs
}

/** Opens images as stacks of layers. */
@injectable()
export class ImageLayers {
  constructor(
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** What was opened is given to `cleanup`. @throws what openImage throws */
  async open(reference: string, platform: string | undefined, cleanup: CleanupStack): Promise<LayeredImage> {
    const done = this.reporter.stage(`read ${reference}`)
    const { cache, env } = this.settings
    const image = await openImage(reference, {
      platform,
      cache,
      signal: this.signal,
      reporter: this.reporter,
      env,
      stdin: process.stdin,
    })
    cleanup.defer(() => image[Symbol.asyncDispose]())
    const layers = image.layers.length > 0 ? image.layers : [await this.#pack(image, cleanup)]
    const rootfs = await mergeLayers(layers)
    cleanup.defer(() => rootfs[Symbol.asyncDispose]())
    done()
    return { image, layers, rootfs }
  }

  /** A folder has no layers; as one layer, another can be merged over it as over any other. */
  async #pack(image: OpenedImage, cleanup: CleanupStack): Promise<Layer> {
    const folder = await makeCacheFolder(this.settings.cache)
    cleanup.defer(() => folder[Symbol.asyncDispose]())
    const tar = join(folder.path, 'root.tar')
    await using tree = await image.rootfs()
    const onOmitted = ({ path }: RootfsEntry, because: string) => this.reporter.warn(`left out /${path}: ${because}`)
    await pipeline(packRootfs(tree, { sparse: true, onOmitted }), createWriteStream(tar), { signal: this.signal })
    return indexLayer(tar, { signal: this.signal })
  }
}
