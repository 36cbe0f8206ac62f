import { C2mError } from '@c2m/process'
import type { FoundImage, LayerSource } from '../image.js'
import { readSmall, type BlobFolder } from '../layout/blob-folder.js'
import { checkPlatform, foundImage } from '../manifest/assembly.js'
import { parseConfig } from '../manifest/config.js'
import { sha256 } from '../manifest/digest.js'
import {
  asArray,
  asObject,
  asString,
  badJson,
  MAX_CONFIG,
  MAX_MANIFEST,
  parseJson,
  stringList,
} from '../manifest/json.js'
import type { Platform } from '../manifest/platform.js'
import type { ArchiveChoice } from '../reference/reference.js'
import { familiarName, parseRegistryName, sameImage, type RegistryName } from '../reference/registry-name.js'

/** One element of manifest.json. */
interface SavedImage {
  /** Path of the configuration in the archive. */
  readonly config: string
  readonly tags: readonly string[]
  /** Paths of the layers' tars, lowest first. */
  readonly layers: readonly string[]
}

const MAX_IMAGES = 10_000

/**
 * Finds an image in what `docker save` writes (Docker image specification v1.2, "Combined Image JSON + Filesystem
 * Changeset Format"):
 *
 *     manifest.json                [{"Config": …, "RepoTags": […], "Layers": […]}]
 *     <config digest>.json         since Docker 25: blobs/sha256/<digest>
 *     <layer id>/layer.tar         since Docker 25: blobs/sha256/<digest>; may be a link to another layer's
 *
 * Its layers are named by path, so only their diff_ids say whether they are whole.
 * @throws C2M_IMAGE_MANIFEST; C2M_IMAGE_NOT_FOUND; C2M_IMAGE_AMBIGUOUS; C2M_IMAGE_PLATFORM
 */
export async function findInDockerArchive(
  folder: BlobFolder,
  choice: ArchiveChoice,
  name: string | undefined,
  platform: Platform,
): Promise<FoundImage & { readonly configBytes: Uint8Array }> {
  const { origin } = folder
  const images = parseSaved(await readSmall(folder, 'manifest.json', MAX_MANIFEST), `manifest.json of ${origin}`)
  const image = chooseImage(images, choice, origin)
  const bytes = await readSmall(folder, image.config, MAX_CONFIG)
  const config = parseConfig(bytes, `${image.config} of ${origin}`)
  checkPlatform(config, platform, origin)
  if (image.layers.length !== config.diffIds.length) {
    throw badJson(
      `manifest.json of ${origin}`,
      `names ${image.layers.length} layers, but the configuration lists ${config.diffIds.length} diff_ids`,
    )
  }
  const layers: LayerSource[] = []
  for (const [index, path] of image.layers.entries()) {
    if ((await folder.size(path)) === undefined)
      throw badJson(origin, `has no file ${path}, which its manifest.json names as a layer`)
    const bytesId = await folder.bytesId(path)
    layers.push({ diffId: config.diffIds[index]!, origin, bytesId, open: () => folder.open(path) })
  }
  return {
    ...foundImage(config, { name: name ?? nameOf(image), origin, digest: sha256(bytes), layers }),
    configBytes: bytes,
  }
}

function parseSaved(bytes: Uint8Array, where: string): readonly SavedImage[] {
  return asArray(parseJson(bytes, where), where, MAX_IMAGES).map((item, index) => {
    const object = asObject(item, `${where}, image ${index},`)
    return {
      config: asString(object.Config, `Config of ${where}, image ${index},`),
      tags: stringList(object.RepoTags, `RepoTags of ${where}, image ${index},`),
      layers: stringList(object.Layers, `Layers of ${where}, image ${index},`, 1000),
    }
  })
}

function chooseImage(images: readonly SavedImage[], choice: ArchiveChoice, origin: string): SavedImage {
  const { name, index } = choice
  if (index !== undefined) {
    const image = images[index]
    if (image === undefined) throw notFound(`number ${index}`, images, origin)
    return image
  }
  if (name !== undefined) {
    const image = images.find(({ tags }) => tags.some((tag) => isSameTag(tag, name)))
    if (image === undefined) throw notFound(familiarName(name), images, origin)
    return image
  }
  const [first, ...others] = images
  if (first === undefined) throw notFound('at all', images, origin)
  if (others.some(({ config }) => config !== first.config)) {
    throw new C2mError('C2M_IMAGE_AMBIGUOUS', `${origin} has ${images.length} images: ${listTags(images)}`, {
      hint: `append the one that is meant: ${origin}:NAME:TAG, or ${origin}:@INDEX`,
    })
  }
  return first
}

function isSameTag(tag: string, name: RegistryName): boolean {
  try {
    return sameImage(parseRegistryName(tag), name)
  } catch {
    return false // a tag that no name can mean
  }
}

function nameOf({ tags: [tag] }: SavedImage): string {
  const name = tag?.slice(tag.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9._-]+/g, '-')
  return name === undefined || name === '' ? 'image' : name
}

function listTags(images: readonly SavedImage[]): string {
  return images
    .slice(0, 20)
    .map(({ tags }, index) => `@${index} (${tags.join(', ') || 'no tag'})`)
    .join(', ')
}

function notFound(what: string, images: readonly SavedImage[], origin: string): C2mError {
  return new C2mError('C2M_IMAGE_NOT_FOUND', `${origin} has no image ${what}`, {
    hint: images.length === 0 ? 'its manifest.json is empty' : `it has: ${listTags(images)}`,
  })
}
