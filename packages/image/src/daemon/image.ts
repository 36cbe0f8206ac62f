import { C2mError, isIntact } from '@c2m/process'
import { openMembers, spoolTar, type ArchiveContext } from '../archive/archive.js'
import { findInDockerArchive } from '../archive/docker-archive.js'
import type { FoundImage, LayerSource } from '../image.js'
import { archiveFolder } from '../layout/blob-folder.js'
import { checkPlatform, foundImage } from '../manifest/assembly.js'
import { parseConfig, type ParsedConfig } from '../manifest/config.js'
import { isDigest } from '../manifest/digest.js'
import { asObject, type JsonObject } from '../manifest/json.js'
import { platformScore, type Platform } from '../manifest/platform.js'
import type { ImageId } from '../reference/reference.js'
import { familiarName, type RegistryName } from '../reference/registry-name.js'
import { wasUnpacked } from '../store/layer.js'
import { keepBlob, readCachedBlob } from '../store/store.js'
import { getJson, getStream, type Engine } from './engine.js'

/** Whether the daemon has this image, for this platform. */
export async function hasImage(
  engine: Engine,
  image: RegistryName,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const found = await inspect(engine, familiarName(image), signal)
  if (found === undefined) return false
  const { Os: os, Architecture: architecture, Variant: variant } = found
  if (typeof os !== 'string' || typeof architecture !== 'string') return false
  const offered = { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) }
  return platformScore(platform, offered) > 0
}

/**
 * Takes an image from a daemon (Engine API, "Export an image"). Daemons send whole images only, so the archive is spooled
 * to the cache's temporary folder; an image whose layers are all in the cache is not sent at all.
 * @throws C2M_IMAGE_NOT_FOUND; C2M_DAEMON_FAILED; what a docker-archive throws
 */
export async function findInDaemon(
  engine: Engine,
  image: RegistryName | ImageId,
  name: string,
  platform: Platform,
  context: ArchiveContext,
): Promise<FoundImage> {
  const { store, signal } = context
  const text = 'id' in image ? image.id : familiarName(image)
  const origin = `${text} of the daemon at ${engine.address}`
  const inspected = await inspect(engine, text, signal)
  if (inspected === undefined) throw notFound(text, engine)
  const id = typeof inspected.Id === 'string' && isDigest(inspected.Id) ? inspected.Id : undefined
  const cached = id === undefined ? undefined : await fromCache(id, name, origin, platform, context)
  if (cached !== undefined) return cached

  // by id the archive has one image without a tag; the tag may have moved since
  const stream = await getStream(engine, `/images/${encodeName(id ?? text)}/get`, signal)
  if (stream === undefined) throw notFound(text, engine)
  const { path } = await spoolTar(stream, origin, context)
  const members = await openMembers(path, signal)
  try {
    const found = await findInDockerArchive(archiveFolder(members, { origin, version: undefined }), {}, name, platform)
    await keepBlob(store, found.digest, found.configBytes)
    const layers = found.layers.map((layer, index) => ({ ...layer, bytesId: layerOf(id, index) }))
    return { ...found, layers, close: () => members[Symbol.asyncDispose]() }
  } catch (error) {
    await members[Symbol.asyncDispose]()
    throw error
  }
}

/** An image's id is its configuration's digest (in Docker's own image store), so the cache may know all about it. */
async function fromCache(
  id: string,
  name: string,
  origin: string,
  platform: Platform,
  { store, signal }: ArchiveContext,
): Promise<FoundImage | undefined> {
  const bytes = await readCachedBlob(store, { digest: id })
  if (bytes === undefined) return undefined
  const config = parseConfigOrNothing(bytes)
  if (config === undefined) return undefined
  const layers = config.diffIds.map((diffId, index): LayerSource => ({
    diffId,
    origin,
    bytesId: layerOf(id, index),
    open: () => vanished(diffId, store.cache),
  }))
  for (const layer of layers) {
    const { diffId } = layer
    if (!(await wasUnpacked(layer, store))) return undefined
    if (!(await isIntact(store.layerPath(diffId), diffId, store.records, signal))) return undefined
  }
  checkPlatform(config, platform, origin)
  return foundImage(config, { name, origin, digest: id, layers })
}

/** What an id names never changes. */
function layerOf(id: string | undefined, index: number): string | undefined {
  return id === undefined ? undefined : `layer ${index} of the image ${id} in a daemon`
}

/** With containerd's image store the id is a manifest's digest. */
function parseConfigOrNothing(bytes: Uint8Array): ParsedConfig | undefined {
  try {
    return parseConfig(bytes, 'the cached configuration')
  } catch {
    return undefined
  }
}

function vanished(diffId: string, cache: string): never {
  throw new C2mError('C2M_IMAGE_LAYER', `the layer ${diffId} in the cache ${cache} was damaged and has been removed`, {
    hint: 'run the same command again; the image is then taken from the daemon anew',
  })
}

async function inspect(engine: Engine, text: string, signal: AbortSignal | undefined): Promise<JsonObject | undefined> {
  const found = await getJson(engine, `/images/${encodeName(text)}/json`, signal)
  return found === undefined ? undefined : asObject(found, `the daemon's description of ${text}`)
}

/** Slashes belong to the name; everything else that has a meaning in URLs is encoded. */
function encodeName(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/')
}

function notFound(text: string, engine: Engine): C2mError {
  return new C2mError('C2M_IMAGE_NOT_FOUND', `the daemon at ${engine.address} has no image ${text}`, {
    hint: 'list its images with docker images, or pull it first',
  })
}
