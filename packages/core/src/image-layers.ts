import { openImage, type OpenedImage } from '@c2m/image'
import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { makeCacheFolder, type CleanupStack, type Reporter } from '@c2m/process'
import { indexLayer, mergeLayers, packRootfs, type Layer } from '@c2m/rootfs'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { inject, injectable } from 'tsyringe'
import { REPORTER, SETTINGS, SIGNAL, type Settings } from './tokens.js'

/** An image that is known by its content. */
export type KnownImage = OpenedImage & { readonly digest: string }

/** An image whose layers can be read, and another one merged over them. */
export interface LayeredImage {
  readonly image: KnownImage
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
    const isCached = image.digest !== undefined && image.layers.every(({ tarPath }) => isBelow(tarPath, cache))
    const { digest, diffIds, layers } = isCached ? { ...image, digest: image.digest } : await this.#copy(image, cleanup)
    const rootfs = await mergeLayers(layers, this.signal)
    cleanup.defer(() => rootfs[Symbol.asyncDispose]())
    done()
    return { image: { ...image, digest, diffIds }, layers, rootfs }
  }

  /**
   * A bare root file system is copied first: the caches know an image by its content, and a folder or tarball may change
   * after it was read. A folder becomes one layer, so that another can be merged over it as over any other.
   */
  async #copy(image: OpenedImage, cleanup: CleanupStack) {
    const folder = await makeCacheFolder(this.settings.cache)
    cleanup.defer(() => folder[Symbol.asyncDispose]())
    const tar = join(folder.path, 'root.tar')
    const onOmitted = ({ path }: RootfsEntry, because: string) => this.reporter.warn(`left out /${path}: ${because}`)
    const source = image.layers[0]?.archive() ?? packRootfs(await image.rootfs(), { sparse: true, onOmitted })
    const hash = createHash('sha256')
    async function* hashed() {
      for await (const chunk of source) {
        hash.update(chunk)
        yield chunk
      }
    }
    await pipeline(hashed(), createWriteStream(tar, { mode: 0o600 }), { signal: this.signal })
    const digest = `sha256:${hash.digest('hex')}`
    return { digest, diffIds: [digest], layers: [await indexLayer(tar, { signal: this.signal })] }
  }
}

function isBelow(path: string, folder: string): boolean {
  return resolve(path).startsWith(`${resolve(folder)}/`)
}
