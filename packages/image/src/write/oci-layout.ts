import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError, usageError } from '@c2m/process'
import type { RegistryName } from '../reference/registry-name.js'
import { blobPath } from './docker-archive.js'
import { writeSmall, writeStream } from './file.js'
import type { PackContext } from './layer.js'
import type { NewImage } from './new-image.js'
import { encodeIndex, indexNames, OCI_LAYOUT } from './oci-index.js'
import { namesIn, outputFolder, type OutputFolder } from './output-folder.js'
import { packImage, type LayerTarget, type PackedImage } from './pack.js'

/**
 * Writes an OCI layout (image-layout.md), or adds the image to one that exists. Blobs get their names before index.json is
 * replaced, so a reader always sees a whole layout.
 * @throws C2M_OUTPUT_EXISTS (usage) when the folder holds something else; C2M_IMAGE_MANIFEST; C2M_FILE_…
 */
export async function writeOciLayout(
  path: string,
  image: NewImage,
  name: { readonly ref?: string; readonly tags: readonly RegistryName[] },
  context: PackContext,
): Promise<PackedImage> {
  // adding to a layout replaces its index, and blobs by the same ones
  await using folder = await outputFolder(path, true)
  const before = folder.exists ? await readLayout(path) : undefined
  const packed = await packImage(image, 'oci', layersIn(folder, path), context)
  for (const { digest, bytes } of [packed.config, packed.manifest])
    await writeSmall(await folder.place(blobPath(digest)), bytes, path)
  if (before === undefined) await writeSmall(await folder.place('oci-layout'), OCI_LAYOUT, path)
  // another program may have added an image while the layers were written
  const index = before === undefined ? undefined : await readIndexFile(path)
  const names = indexNames(name.ref, name.tags)
  const bytes = encodeIndex(index, packed.manifest, image, names, `index.json of ${path}`)
  await writeSmall(await folder.place('index.json'), bytes, path)
  await folder.commit()
  return packed
}

function layersIn(folder: OutputFolder, shown: string): LayerTarget {
  return {
    layer: async (fill) => {
      const path = folder.scratch('layer')
      const packed = await writeStream(path, shown, fill)
      await rename(path, await folder.place(blobPath(packed.digest)))
      return packed
    },
  }
}

/** index.json of a layout; undefined when the folder is empty. @throws C2M_OUTPUT_EXISTS (usage), C2M_FILE_… */
export async function readLayout(path: string): Promise<Uint8Array | undefined> {
  const names = await namesIn(path)
  if (names.length === 0) return undefined
  if (names.includes('oci-layout') && names.includes('index.json')) return readIndexFile(path)
  throw usageError(
    'C2M_OUTPUT_EXISTS',
    `${path} exists already and is no OCI layout`,
    'name an OCI layout, an empty folder, or one that does not exist yet',
  )
}

async function readIndexFile(path: string): Promise<Uint8Array> {
  const file = join(path, 'index.json')
  return readFile(file).catch((error: unknown) => {
    throw fileError(error, file, 'read')
  })
}
