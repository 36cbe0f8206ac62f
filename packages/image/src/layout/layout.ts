import { C2mError } from '@c2m/process'
import type { FoundImage } from '../image.js'
import { chooseManifest, isAttestation } from '../manifest/choice.js'
import { parseDigest, verified, verifyBytes, type Expected } from '../manifest/digest.js'
import { assembleImage } from '../manifest/assembly.js'
import { badJson, MAX_MANIFEST } from '../manifest/json.js'
import { parseManifest, type Descriptor } from '../manifest/manifest.js'
import type { Platform } from '../manifest/platform.js'
import type { ImageChoice } from '../reference/reference.js'
import { readSmall, type BlobFolder } from './blob-folder.js'

const REF_NAME = 'org.opencontainers.image.ref.name'
const IMAGE_NAME = 'io.containerd.image.name'

/**
 * Finds an image in an OCI layout (OCI image-spec, image-layout.md):
 *
 *     oci-layout                 {"imageLayoutVersion": "1.0.0"}
 *     index.json                 the images, named by the annotation org.opencontainers.image.ref.name
 *     blobs/<algorithm>/<hex>    manifests, configurations, layers
 *
 * @throws C2M_IMAGE_MANIFEST; C2M_IMAGE_NOT_FOUND; C2M_IMAGE_AMBIGUOUS; C2M_IMAGE_PLATFORM; C2M_IMAGE_DIGEST_MISMATCH
 */
export async function findInLayout(
  folder: BlobFolder,
  choice: ImageChoice,
  name: string,
  platform: Platform,
): Promise<FoundImage> {
  const where = `index.json of ${folder.origin}`
  const index = parseManifest(await readSmall(folder, 'index.json', MAX_MANIFEST), undefined, where)
  if (index.kind !== 'index') throw badJson(where, 'is not an index')
  const candidates = chooseEntries(index.manifests, choice, folder.origin)

  const readBlob = async (expected: Expected, maximum: number) => {
    const bytes = await readSmall(folder, blobPath(expected.digest), maximum)
    verifyBytes(bytes, expected, folder.origin)
    return bytes
  }
  const found = await chooseManifest(
    candidates,
    platform,
    (descriptor) => readBlob(descriptor, MAX_MANIFEST),
    folder.origin,
  )
  return assembleImage({
    ...found,
    name,
    origin: folder.origin,
    platform,
    readBlob,
    bytesId: ({ digest }) => folder.bytesId(blobPath(digest)),
    openLayer: ({ digest, size }) => openVerified(folder, { digest, size }),
  })
}

async function* openVerified(folder: BlobFolder, expected: Expected): AsyncGenerator<Uint8Array> {
  const path = blobPath(expected.digest)
  if ((await folder.size(path)) === undefined)
    throw badJson(folder.origin, `has no file ${path}, which is a layer of the image`)
  yield* verified(folder.open(path), expected, folder.origin)
}

function blobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest, 'the digest')
  return `blobs/${algorithm}/${hex}`
}

function chooseEntries(all: readonly Descriptor[], choice: ImageChoice, origin: string): readonly Descriptor[] {
  const { digest, index, tag } = choice
  if (index !== undefined) {
    const entry = all[index]
    if (entry === undefined) throw notFound(`number ${index}`, all, origin)
    return [entry]
  }
  if (digest !== undefined) {
    const entry = all.find((descriptor) => descriptor.digest === digest)
    if (entry === undefined) throw notFound(digest, all, origin)
    return [entry]
  }
  if (tag !== undefined) {
    const exact = all.filter(({ annotations }) => [annotations[REF_NAME], annotations[IMAGE_NAME]].includes(tag))
    if (exact.length > 0) return exact
    // some tools write 'name:tag' where the specification has the tag
    const ending = all.filter(({ annotations }) => annotations[REF_NAME]?.endsWith(`:${tag}`) === true)
    if (new Set(ending.map(nameOf)).size !== 1) throw notFound(`'${tag}'`, all, origin)
    return ending
  }
  const images = all.filter((descriptor) => !isAttestation(descriptor))
  const names = new Set(images.map(nameOf))
  const different = new Set(images.map((descriptor) => descriptor.digest))
  if (names.size > 1 && different.size > 1) throw ambiguous(names, origin)
  return images
}

function nameOf({ annotations }: Descriptor): string {
  return annotations[REF_NAME] ?? annotations[IMAGE_NAME] ?? ''
}

function namesIn(all: readonly Descriptor[]): string {
  const names = [
    ...new Set(all.filter((entry) => !isAttestation(entry)).map((entry) => nameOf(entry) || `@${entry.digest}`)),
  ]
  return names.length === 0 ? 'it is empty' : `it has: ${names.slice(0, 20).join(', ')}`
}

function notFound(what: string, all: readonly Descriptor[], origin: string): C2mError {
  return new C2mError('C2M_IMAGE_NOT_FOUND', `${origin} has no image ${what}`, { hint: namesIn(all) })
}

function ambiguous(names: ReadonlySet<string>, origin: string): C2mError {
  const list = [...names].filter((name) => name !== '').slice(0, 20)
  return new C2mError('C2M_IMAGE_AMBIGUOUS', `${origin} has several images: ${list.join(', ')}`, {
    hint: `append the one that is meant, e.g. ${origin}:${list[0] ?? '@DIGEST'}`,
  })
}
