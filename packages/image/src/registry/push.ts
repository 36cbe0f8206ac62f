import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { C2mError, fileError } from '@c2m/process'
import type { RegistryName } from '../reference/registry-name.js'
import { writeStream } from '../write/file.js'
import type { PackContext } from '../write/layer.js'
import { configBlob, encodeManifest, type SmallBlob } from '../write/manifest.js'
import type { NewImage } from '../write/new-image.js'
import { packImage, type LayerTarget, type PackedImage } from '../write/pack.js'
import type { ImageStore } from '../store/store.js'
import { pushRefused } from './push-error.js'
import { startSession, type RegistryContext } from './registry.js'
import { hasBlob, smallBlob, startUpload, uploadBlob, type UploadBlob, type UploadContext } from './upload.js'

export interface PushContext extends PackContext, Pick<RegistryContext, 'env' | 'insecureHosts' | 'retryDelay'> {
  readonly store: ImageStore
  readonly signal: AbortSignal | undefined
  readonly mountFrom: readonly string[]
}

/**
 * Pushes an image (OCI distribution-spec, "Pushing"): layers, configuration, then the manifest under each tag, so that a
 * tag never names what is not there. Each layer is put together in the cache first: only then its digest is known, by which
 * the registry may say that it has it.
 * @throws C2M_REGISTRY_DENIED before any layer is read; C2M_REGISTRY_…; C2M_FILE_…
 */
export async function pushImage(
  image: NewImage,
  name: RegistryName,
  tags: readonly string[],
  context: PushContext,
): Promise<PackedImage> {
  const { store, signal, mountFrom, reporter } = context
  const session = await startSession(name, context, { purpose: 'push', alsoRead: mountFrom })
  const origin = `${name.registry}/${name.repository}`
  const uploading: UploadContext = { session, origin, signal, retryDelay: context.retryDelay }
  // opened early: better to be refused now than after minutes of reading
  let spare: URL | undefined = (await startUpload(uploading)) as URL

  const push = async (blob: UploadBlob) => {
    if (await hasBlob(blob.digest, uploading)) return reporter.detail(`${blob.digest} is at ${origin} already`)
    for (const from of mountFrom) {
      const mounted = await startUpload(uploading, { digest: blob.digest, from })
      if (mounted === 'mounted') return reporter.detail(`${blob.digest} was taken over from ${from}`)
      spare ??= mounted
    }
    reporter.detail(`sending ${blob.digest}, ${blob.size} bytes, to ${origin}`)
    const started = spare
    spare = undefined
    await uploadBlob(blob, uploading, started)
  }
  try {
    const target: LayerTarget = {
      layer: async (fill) => {
        const path = join(store.temporary, 'layer')
        try {
          const packed = await writeStream(path, path, fill)
          await push({ ...packed, open: (from) => readFrom(path, from) })
          return packed
        } finally {
          await rm(path, { force: true })
        }
      },
    }
    const packed = await packImage(image, 'oci', target, context)
    await push(smallBlob(packed.config.bytes))
    const manifest = await putManifest(packed, tags, context, uploading)
    return { ...packed, manifest }
  } finally {
    if (spare !== undefined) await cancel(spare, uploading)
  }
}

/** The OCI manifest; to a registry that does not take it, Docker's, which names the same blobs. */
async function putManifest(
  packed: PackedImage,
  tags: readonly string[],
  { compression, reporter }: PushContext,
  context: UploadContext,
): Promise<SmallBlob> {
  const [first, ...others] = tags
  let manifest = packed.manifest
  let response = await put(manifest, first!, context)
  if ([400, 406, 415].includes(response.status)) {
    await response.body?.cancel()
    reporter.detail(`${context.origin} does not take an OCI manifest (status ${response.status}); sending Docker's`)
    manifest = encodeManifest('docker', configBlob('docker', packed.config.bytes), packed.layers, compression)
    response = await put(manifest, first!, context)
  }
  await check(response, manifest, context)
  for (const tag of others) await check(await put(manifest, tag, context), manifest, context)
  return manifest
}

function put({ bytes, mediaType }: SmallBlob, tag: string, { session }: UploadContext): Promise<Response> {
  return session.request(`manifests/${tag}`, { method: 'PUT', headers: { 'content-type': mediaType }, body: bytes })
}

async function check(response: Response, manifest: SmallBlob, { session, origin }: UploadContext): Promise<void> {
  if (!response.ok) throw await pushRefused(response, session, origin, 'sent the manifest')
  await response.body?.cancel()
  const stated = response.headers.get('docker-content-digest')
  if (stated === null || stated === manifest.digest) return
  throw new C2mError('C2M_REGISTRY_PROTOCOL', `the registry at ${origin} stored the manifest with another digest`, {
    hint: 'something between here and the registry changes what is sent; tell its operator',
  })
}

/** Best effort: registries forget open uploads by themselves. */
async function cancel(upload: URL, { session }: UploadContext): Promise<void> {
  const response = await session.request(upload, { method: 'DELETE', headers: {}, attempts: 1 }).catch(() => undefined)
  await response?.body?.cancel().catch(() => undefined)
}

async function* readFrom(path: string, from: number): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { start: from, highWaterMark: 512 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}
