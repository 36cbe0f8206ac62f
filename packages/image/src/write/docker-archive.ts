import { encodeJson } from './config.js'
import type { PackContext } from './layer.js'
import type { NewImage } from './new-image.js'
import { packImage, type LayerTarget, type PackedImage } from './pack.js'
import { TarFile } from './tar-file.js'

/**
 * Writes what `docker load` reads (Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format",
 * with the names of Docker 25 and newer), each layer in one pass:
 *
 *     blobs/sha256/<hex>    layers, lowest first, then the configuration
 *     manifest.json         [{"Config": …, "RepoTags": […], "Layers": […]}]
 *
 * @param tags 'NAME:TAG'
 * @param shown the archive's name in errors
 */
export async function writeDockerArchive(
  path: string,
  image: NewImage,
  tags: readonly string[],
  context: PackContext,
  shown: string,
): Promise<PackedImage> {
  await using tar = await TarFile.create(path, shown)
  const packed = await packImage(image, 'docker', layersIn(tar), context)
  await tar.add(blobPath(packed.config.digest), packed.config.bytes)
  const layers = packed.layers.map(({ digest }) => blobPath(digest))
  const manifest = [{ Config: blobPath(packed.config.digest), RepoTags: tags, Layers: layers }]
  await tar.add('manifest.json', encodeJson(manifest))
  await tar.finish()
  return packed
}

/** Layers as members of the archive, named by their digests. */
export function layersIn(tar: TarFile): LayerTarget {
  return { layer: (fill) => tar.stream(fill, ({ digest }) => blobPath(digest)) }
}

export function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`
}
