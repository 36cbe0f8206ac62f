import { C2mError } from '@c2m/process'
import { isDigest } from './digest.js'
import {
  asArray,
  asObject,
  asSize,
  asString,
  badJson,
  optionalString,
  parseJson,
  stringMap,
  type JsonObject,
} from './json.js'
import { CONFIG_TYPES, INDEX_TYPES, MANIFEST_TYPES } from './media-type.js'
import type { Platform } from './platform.js'

/** Points at a blob (OCI image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly platform?: Platform
  readonly annotations: Readonly<Record<string, string>>
}

/** OCI image manifest, or Docker's manifest v2 schema 2: the same shape. */
export interface ImageManifest {
  readonly kind: 'manifest'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** OCI image index, or Docker's manifest list. */
export interface ImageIndex {
  readonly kind: 'index'
  readonly manifests: readonly Descriptor[]
}

/** Docker stops at 127 layers, containerd at what overlay takes. */
const MAX_LAYERS = 1000
const MAX_MANIFESTS = 10_000

/** @throws C2M_IMAGE_MANIFEST; C2M_IMAGE_SCHEMA1 */
export function parseManifest(
  bytes: Uint8Array,
  mediaType: string | undefined,
  where: string,
): ImageManifest | ImageIndex {
  const document = asObject(parseJson(bytes, where), where)
  const type = optionalString(document.mediaType, `mediaType of ${where}`) ?? mediaType ?? ''
  if (document.schemaVersion === 1 || type.startsWith('application/vnd.docker.distribution.manifest.v1'))
    throw schema1(where)
  if (document.schemaVersion !== 2) throw badJson(`schemaVersion of ${where}`, 'is not 2')

  const hasManifests = document.manifests !== undefined
  const hasLayers = document.layers !== undefined || document.config !== undefined
  // a document that is both could be read as two different images (CVE-2021-41190)
  if (hasManifests && hasLayers) throw badJson(where, 'is both a manifest and an index')
  if (hasManifests) {
    if (MANIFEST_TYPES.includes(type)) throw badJson(where, `is an index, although its media type is '${type}'`)
    return { kind: 'index', manifests: descriptors(document.manifests, `manifests of ${where}`, MAX_MANIFESTS) }
  }
  if (INDEX_TYPES.includes(type)) throw badJson(where, `is no index, although its media type is '${type}'`)
  if (!hasLayers) throw badJson(where, 'is neither an image manifest nor an index')
  const config = parseDescriptor(document.config, `config of ${where}`)
  if (!CONFIG_TYPES.includes(config.mediaType)) throw notAnImage(where, config.mediaType)
  return { kind: 'manifest', config, layers: descriptors(document.layers, `layers of ${where}`, MAX_LAYERS) }
}

function descriptors(value: unknown, where: string, maximum: number): readonly Descriptor[] {
  if (value === null) return []
  return asArray(value, where, maximum).map((item, index) => parseDescriptor(item, `${where}, number ${index + 1},`))
}

function parseDescriptor(value: unknown, where: string): Descriptor {
  const object = asObject(value, where)
  const digest = asString(object.digest, `digest of ${where}`)
  if (!isDigest(digest)) throw badJson(`digest of ${where}`, `is no sha256 or sha512 digest: '${digest.slice(0, 200)}'`)
  const platform = parsePlatformField(object.platform, `platform of ${where}`)
  return {
    mediaType: optionalString(object.mediaType, `mediaType of ${where}`) ?? '',
    digest,
    size: asSize(object.size, `size of ${where}`),
    ...(platform && { platform }),
    annotations: stringMap(object.annotations, `annotations of ${where}`),
  }
}

function parsePlatformField(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  const object: JsonObject = asObject(value, where)
  const os = optionalString(object.os, `os of ${where}`)
  const architecture = optionalString(object.architecture, `architecture of ${where}`)
  const variant = optionalString(object.variant, `variant of ${where}`)
  if (os === undefined || architecture === undefined) return undefined
  return { os, architecture, ...(variant !== undefined && { variant }) }
}

function schema1(where: string): C2mError {
  return new C2mError(
    'C2M_IMAGE_SCHEMA1',
    `${where} is in Docker's manifest format schema 1, which was given up in 2019`,
    {
      hint: 'convert it with an old Docker (docker pull, docker save), or take a newer tag of the image',
    },
  )
}

function notAnImage(where: string, mediaType: string): C2mError {
  return new C2mError(
    'C2M_IMAGE_MANIFEST',
    `${where} is not a container image: its configuration is '${mediaType.slice(0, 200)}'`,
    {
      hint: 'this is another kind of artifact (a chart, a signature, a module); name a container image',
    },
  )
}
