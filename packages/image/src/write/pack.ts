import { encodeConfig } from './config.js'
import { packLayer, type PackContext, type PackedLayer, type Write } from './layer.js'
import { configBlob, encodeManifest, layerType, type ManifestKind, type SmallBlob } from './manifest.js'
import type { NewImage, WrittenLayer } from './new-image.js'

/** Where layers go while they are made. */
export interface LayerTarget {
  /** Gives `fill` something to write to; returns what it returned. */
  layer(fill: (write: Write) => Promise<PackedLayer>): Promise<PackedLayer>
}

/** An image whose layers are written and whose other blobs are known. */
export interface PackedImage {
  readonly layers: readonly WrittenLayer[]
  readonly config: SmallBlob
  readonly manifest: SmallBlob
}

/** Writes the layers, lowest first, and makes the blobs that name them. */
export async function packImage(
  image: NewImage,
  kind: ManifestKind,
  target: LayerTarget,
  context: PackContext,
): Promise<PackedImage> {
  const packed: PackedLayer[] = []
  for (const layer of image.layers) packed.push(await target.layer((write) => packLayer(layer, write, context)))
  const diffIds = packed.map(({ diffId }) => diffId)
  const config = configBlob(kind, encodeConfig(image, diffIds))
  const manifest = encodeManifest(kind, config, packed, context.compression, image.annotations)
  const mediaType = layerType(kind, context.compression)
  return { layers: packed.map((layer) => ({ ...layer, mediaType })), config, manifest }
}
