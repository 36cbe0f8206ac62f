import { checkDestination, writeImage, type NewLayer, type WrittenImage } from '@c2m/image'
import type { Reporter } from '@c2m/process'
import { indexLayer, mergeLayers, packRootfs } from '@c2m/rootfs'
import { inject, injectable } from 'tsyringe'
import type { LayeredImage } from '../image-layers.js'
import type { ShellRequest } from '../request/shell.js'
import { REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'
import { rfc3339, sourceDateEpoch } from '../time.js'
import { treeSizes, type TreeSizes } from './sizes.js'

/** An image that keeps what a command changed. */
export interface Committed extends WrittenImage {
  readonly squashed: boolean
  readonly before: ImageSizes
  readonly after: ImageSizes
  /** Of the new tree. */
  readonly directories: TreeSizes['directories']
}

export interface ImageSizes {
  readonly entries: number
  /** Of the tree's regular files. */
  readonly bytes: number
  /** Of the layers, uncompressed: what a layer hides still counts. */
  readonly layerBytes: number
}

type CommitRequest = Pick<ShellRequest, 'squash' | 'tags' | 'force'> & { readonly commit: string }

/** Writes images that continue others. */
@injectable()
export class Commit {
  constructor(
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws C2M_OUTPUT_…, C2M_SOURCE_DATE_EPOCH (usage) and what else is known before an image is written there */
  async check(destination: string, request: Pick<ShellRequest, 'tags' | 'force'>): Promise<void> {
    sourceDateEpoch(this.settings.env)
    await checkDestination(destination, this.#options(request))
  }

  async write(
    changes: string,
    { image, layers, rootfs }: LayeredImage,
    argv: readonly string[],
    request: CommitRequest,
  ): Promise<Committed> {
    const done = this.reporter.stage(`write ${request.commit}`)
    await using added = await indexLayer(changes, { signal: this.signal })
    await using merged = await mergeLayers([...layers, added], this.signal)
    const createdBy = `c2m shell: ${argv.join(' ')}`.slice(0, 1000)
    const stack: readonly NewLayer[] = request.squash
      ? [{ createdBy, tar: () => packRootfs(merged, { order: 'storage', reuseMemory: true }) }]
      : [...layers, added].map((layer) => ({
          createdBy: layer === added ? createdBy : 'a layer of the original image',
          tar: () => layer.archive(),
        }))
    const { config, architecture, rawConfig } = image
    const variant = typeof rawConfig.variant === 'string' ? rawConfig.variant : undefined
    const author = typeof rawConfig.author === 'string' ? rawConfig.author : undefined
    const written = await writeImage(
      request.commit,
      {
        layers: stack,
        architecture,
        ...(variant === undefined ? {} : { variant }),
        ...(author === undefined ? {} : { author }),
        os: 'linux',
        created: rfc3339(commitTime(this.settings.env)),
        config,
        original: rawConfig,
      },
      this.#options(request),
    )
    done()
    const { directories, ...after } = await treeSizes(merged)
    const { entries, bytes } = await treeSizes(rootfs)
    return {
      ...written,
      squashed: request.squash,
      before: { entries, bytes, layerBytes: layers.reduce((total, { size }) => total + size, 0) },
      after: { ...after, layerBytes: written.layers.reduce((total, layer) => total + layer.uncompressedSize, 0) },
      directories,
    }
  }

  #options({ tags, force }: Pick<ShellRequest, 'tags' | 'force'>) {
    const { cache, env } = this.settings
    return { tags, force, cache, env, signal: this.signal, reporter: this.reporter }
  }
}

/** Seconds since the epoch: SOURCE_DATE_EPOCH, else now. */
export function commitTime(env: NodeJS.ProcessEnv): number {
  return sourceDateEpoch(env) ?? Math.floor(Date.now() / 1000)
}
