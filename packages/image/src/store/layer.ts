import { C2mError, interrupted, isC2mError, isIntact, recordIntact, throwIfAborted, type Reporter } from '@c2m/process'
import { indexLayer, type Layer, type TreeBudget } from '@c2m/rootfs'
import { decompress, DecompressionError } from '../compression/decompress.js'
import type { LayerSource } from '../image.js'
import { digestMismatch, hashFor } from '../manifest/digest.js'
import { checkRatio, type UnpackBudget } from './limits.js'
import { createTemporary, isFile, type ImageStore } from './store.js'

export interface UnpackContext {
  readonly store: ImageStore
  readonly budget: UnpackBudget
  /** What all layers together may take of memory. */
  readonly treeBudget: TreeBudget
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/**
 * The layer as a seekable tar: from the cache, when c2m has read the same bytes before, else unpacked into it. A cached file
 * that is not whole any more (a disk that lost data) is made anew.
 * @throws C2M_IMAGE_DIGEST_MISMATCH; C2M_IMAGE_LAYER; C2M_IMAGE_TOO_LARGE; C2M_CACHE_FULL; C2M_INTERRUPTED
 */
export async function openLayer(source: LayerSource, context: UnpackContext): Promise<Layer> {
  const { diffId, origin } = source
  const { store, signal, reporter, treeBudget } = context
  const path = store.layerPath(diffId)
  const isThere = await isFile(path)
  const isWhole = isThere && (await isIntact(path, diffId, store.records, signal))
  throwIfAborted(signal)
  if (isThere && !isWhole) reporter.warn(`the cached layer ${diffId} is damaged; unpacking it again`)
  if (!isWhole || !(await wasUnpacked(source, store))) {
    await unpackLayer(source, isWhole ? undefined : path, context)
    if (!isWhole) await recordIntact(path, diffId, store.records)
    if (source.bytesId !== undefined) await store.records.set(unpacked(source.bytesId), diffId)
  }
  return indexLayer(path, { signal, budget: treeBudget }).catch((error: unknown) => {
    if (!isC2mError(error) || error.code === 'C2M_INTERRUPTED') throw error
    const { code, hint, message } = error
    throw new C2mError(code, `the layer ${diffId} of ${origin}: ${message}`, { hint, cause: error })
  })
}

/** Whether c2m itself has seen that these bytes unpack to this layer. */
export async function wasUnpacked({ bytesId, diffId }: LayerSource, { records }: ImageStore): Promise<boolean> {
  return bytesId !== undefined && (await records.get(unpacked(bytesId))) === diffId
}

function unpacked(bytesId: string): string {
  return `the layer that ${bytesId} unpacks to`
}

/**
 * Streams the layer through blob digest, decompression and diff_id into the cache; on any error nothing stays there.
 * @param path undefined: it is only compared with what the cache has
 */
async function unpackLayer(source: LayerSource, path: string | undefined, context: UnpackContext): Promise<void> {
  const { store, budget, reporter, signal } = context
  const what = `the layer ${source.blob?.digest ?? source.diffId} of ${source.origin}`
  let packed = 0
  let size = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.open(signal)) {
      throwIfAborted(signal)
      packed += chunk.length
      reporter.progress(chunk.length)
      yield chunk
    }
  }
  const hash = hashFor(source.diffId)
  const writer = path === undefined ? undefined : await createTemporary(store)
  try {
    for await (const chunk of decompress(counted(), { signal })) {
      size += chunk.length
      budget.spend(chunk.length)
      checkRatio(packed, size, what)
      const writing = writer?.write(chunk)
      hash.update(chunk)
      await writing
    }
    const found = `${source.diffId.slice(0, 7)}${hash.digest('hex')}`
    if (found !== source.diffId) throw digestMismatch(source.diffId, found, source.origin)
    if (path !== undefined) await writer?.commit(path)
  } catch (error) {
    if (signal?.aborted === true) throw interrupted()
    if (!(error instanceof DecompressionError)) throw error
    throw new C2mError('C2M_IMAGE_LAYER', `${what} is ${error.message}`, {
      hint: 'its digest is right, so it was published like this; ask the publisher of the image',
      cause: error,
    })
  } finally {
    await writer?.discard()
  }
}
