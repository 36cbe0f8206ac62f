import { MAX_MANIFEST, asArray, asObject, badJson, parseJson, type JsonObject } from '../manifest/json.js'
import type { RegistryName } from '../reference/registry-name.js'
import { encodeJson } from './config.js'
import type { SmallBlob } from './manifest.js'
import type { NewImage } from './new-image.js'

const REF_NAME = 'org.opencontainers.image.ref.name'
const IMAGE_NAME = 'io.containerd.image.name'

export const OCI_LAYOUT = encodeJson({ imageLayoutVersion: '1.0.0' })

/** A name of the image in index.json. */
export interface IndexName {
  readonly ref?: string
  /** What containerd and Docker call it after loading. */
  readonly full?: string
}

/** The reference that was asked for, else the tags; without both the image has no name. */
export function indexNames(ref: string | undefined, tags: readonly RegistryName[]): readonly IndexName[] {
  if (ref !== undefined) return [{ ref, ...(tags[0] && { full: fullName(tags[0]) }) }]
  if (tags.length === 0) return [{}]
  const seen = new Set<string>()
  return tags.map((name) => {
    const tag = name.tag!
    const isFirst = !seen.has(tag)
    seen.add(tag)
    return { ...(isFirst && { ref: tag }), full: fullName(name) }
  })
}

/**
 * index.json with the image under its names (OCI image-spec, image-index.md): entries that had one of them go, the others
 * stay as they are.
 * @param old the layout's index.json; undefined for a new layout
 * @throws C2M_IMAGE_MANIFEST
 */
export function encodeIndex(
  old: Uint8Array | undefined,
  manifest: SmallBlob,
  image: NewImage,
  names: readonly IndexName[],
  where: string,
): Uint8Array {
  const before = old === undefined ? {} : readIndex(old, where)
  const kept = asArray(before.manifests ?? [], `manifests of ${where}`, 10_000).filter((entry) => {
    const object = asObject(entry, `an entry of ${where}`)
    const annotations = asObject(object.annotations ?? {}, `annotations of ${where}`)
    const [ref, full] = [annotations[REF_NAME], annotations[IMAGE_NAME]]
    if (ref === undefined && full === undefined) return object.digest !== manifest.digest
    return !names.some((name) => (ref !== undefined && name.ref === ref) || (full !== undefined && name.full === full))
  })
  const { architecture, variant, os } = image
  const entries = names.map(({ ref, full }) => ({
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...((ref ?? full) !== undefined && {
      annotations: { ...(full !== undefined && { [IMAGE_NAME]: full }), ...(ref !== undefined && { [REF_NAME]: ref }) },
    }),
    platform: { architecture, os, ...(variant !== undefined && { variant }) },
  }))
  const index = {
    ...before,
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [...kept, ...entries],
  }
  const bytes = encodeJson(index)
  if (bytes.length > MAX_MANIFEST) throw badJson(where, 'has no room for another image')
  return bytes
}

function readIndex(bytes: Uint8Array, where: string): JsonObject {
  const index = asObject(parseJson(bytes, where), where)
  if (index.schemaVersion !== 2) throw badJson(`schemaVersion of ${where}`, 'is not 2')
  return index
}

function fullName(name: RegistryName): string {
  const { registry, repository, tag } = name
  return `${registry}/${repository}:${tag ?? 'latest'}`
}
