import type { FoundImage, LayerSource } from '../image.js'
import type { FoundManifest } from './choice.js'
import { parseConfig, type ParsedConfig } from './config.js'
import type { Expected } from './digest.js'
import { badJson, MAX_CONFIG } from './json.js'
import type { Descriptor } from './manifest.js'
import { layerCompression } from './media-type.js'
import { platformError, platformScore, type Platform } from './platform.js'

export interface Assembly extends FoundManifest {
  readonly name: string
  readonly origin: string
  readonly platform: Platform
  /** A small blob, verified. */
  readBlob(expected: Expected, maximum: number): Promise<Uint8Array>
  /** LayerSource.bytesId of a layer. */
  bytesId(descriptor: Descriptor): Promise<string | undefined>
  /** A layer's bytes as stored, verified: a fault is thrown at the end at the latest. */
  openLayer(descriptor: Descriptor, signal: AbortSignal | undefined): AsyncIterable<Uint8Array>
}

/**
 * Joins a manifest with its configuration: the layers of the one are the diff_ids of the other, in the same order.
 * @throws C2M_IMAGE_MANIFEST; C2M_IMAGE_PLATFORM; C2M_IMAGE_LAYER
 */
export async function assembleImage(assembly: Assembly): Promise<FoundImage> {
  const { manifest, origin } = assembly
  const config = parseConfig(await assembly.readBlob(manifest.config, MAX_CONFIG), `the configuration of ${origin}`)
  checkPlatform(config, assembly.platform, origin)
  if (manifest.layers.length !== config.diffIds.length) {
    throw badJson(
      origin,
      `has ${manifest.layers.length} layers, but its configuration lists ${config.diffIds.length} diff_ids`,
    )
  }
  const layers: LayerSource[] = []
  for (const [index, descriptor] of manifest.layers.entries()) {
    layerCompression(descriptor.mediaType, descriptor.digest, origin)
    layers.push({
      diffId: config.diffIds[index]!,
      blob: { digest: descriptor.digest, size: descriptor.size },
      origin,
      bytesId: await assembly.bytesId(descriptor),
      open: (signal) => assembly.openLayer(descriptor, signal),
    })
  }
  return foundImage(config, { name: assembly.name, origin, digest: assembly.digest, layers })
}

export function foundImage(
  config: ParsedConfig,
  rest: Pick<FoundImage, 'name' | 'origin' | 'digest' | 'layers'>,
): FoundImage {
  return { ...rest, architecture: config.architecture, os: config.os, config: config.config, rawConfig: config.raw }
}

/** @throws C2M_IMAGE_PLATFORM */
export function checkPlatform(config: ParsedConfig, wanted: Platform, origin: string): void {
  const { os, architecture, variant } = config
  const offered: Platform = { os, architecture, ...(variant !== undefined && { variant }) }
  if (platformScore(wanted, offered) === 0) throw platformError(wanted, [offered], origin)
}
