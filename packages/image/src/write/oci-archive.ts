import { familiarName, type RegistryName } from '../reference/registry-name.js'
import { blobPath, layersIn } from './docker-archive.js'
import type { PackContext } from './layer.js'
import type { NewImage } from './new-image.js'
import { encodeIndex, indexNames, OCI_LAYOUT } from './oci-index.js'
import { packImage, type PackedImage } from './pack.js'
import { TarFile } from './tar-file.js'

/**
 * Writes an OCI layout (image-layout.md) as one tar, each layer in one pass. It has one name, for podman loads no
 * archive whose index has several entries.
 */
export async function writeOciArchive(
  path: string,
  image: NewImage,
  name: { readonly ref?: string; readonly tags: readonly RegistryName[] },
  context: PackContext,
  shown: string,
): Promise<PackedImage> {
  await using tar = await TarFile.create(path, shown)
  await tar.add('oci-layout', OCI_LAYOUT)
  const packed = await packImage(image, 'oci', layersIn(tar), context)
  for (const { digest, bytes } of [packed.config, packed.manifest]) await tar.add(blobPath(digest), bytes)
  const [names, left] = [indexNames(name.ref, name.tags), name.tags.slice(1)]
  if (left.length > 0)
    context.reporter.warn(`an OCI archive has one name; left out: ${left.map(familiarName).join(', ')}`)
  const index = encodeIndex(undefined, packed.manifest, image, names.slice(0, 1), 'index.json')
  await tar.add('index.json', index)
  await tar.finish()
  return packed
}
