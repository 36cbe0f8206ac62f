import { C2mError, interrupted, isC2mError, throwIfAborted, type Reporter } from '@c2m/process'
import { indexLayer, type Layer } from '@c2m/rootfs'
import { rm } from 'node:fs/promises'
import { decompress, DecompressionError } from '../compression/decompress.js'
import type { LayerSource } from '../image.js'
import { digestMismatch, hashFor } from '../manifest/digest.js'
import { checkRatio, type UnpackBudget } from './limits.js'
import { createTemporary, isFile, type ImageStore } from './store.js'

export interface UnpackContext {
  readonly store: ImageStore
  readonly budget: UnpackBudget
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/**
 * The layer as a seekable tar: from the cache, else unpacked into it. A cached file that is no tar any more (a disk
 * that lost data) is made anew.
 * @throws C2M_IMAGE_DIGEST_MISMATCH; C2M_IMAGE_LAYER; C2M_IMAGE_TOO_LARGE; C2M_CACHE_FULL; C2M_INTERRUPTED
 */
export async function openLayer(source: LayerSource, context: UnpackContext): Promise<Layer> {
  const path = context.store.layerPath(source.diffId)
  if (await isFile(path)) {
    try {
      return await indexLayer(path, { signal: context.signal })
    } catch (error) {
      throwIfAborted(context.signal)
      context.reporter.detail(`the cached layer ${source.diffId} cannot be read (${String(error)}); unpacking it again`)
      await rm(path, { force: true })
    }
  }
  await unpackLayer(source, path, context)
  return indexLayer(path, { signal: context.signal }).catch((error: unknown) => {
    if (!isC2mError(error) || error.code === 'C2M_INTERRUPTED') throw error
    const { code, hint, message } = error
    throw new C2mError(code, `the layer ${source.diffId} of ${source.origin}: ${message}`, { hint, cause: error })
  })
}

/** Streams the layer through blob digest, decompression and diff_id into the cache; on any error nothing stays there. */
async function unpackLayer(source: LayerSource, path: string, context: UnpackContext): Promise<void> {
  const { store, budget, reporter, signal } = context
  const what = `the layer ${source.blob?.digest ?? source.diffId} of ${source.origin}`
  let packed = 0
  let unpacked = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.open(signal)) {
      throwIfAborted(signal)
      packed += chunk.length
      reporter.progress(chunk.length)
      yield chunk
    }
  }
  const hash = hashFor(source.diffId)
  const writer = await createTemporary(store)
  try {
    for await (const chunk of decompress(counted(), { signal })) {
      unpacked += chunk.length
      budget.spend(chunk.length)
      checkRatio(packed, unpacked, what)
      const writing = writer.write(chunk)
      hash.update(chunk)
      await writing
    }
    const found = `${source.diffId.slice(0, 7)}${hash.digest('hex')}`
    if (found !== source.diffId) throw digestMismatch(source.diffId, found, source.origin)
    await writer.commit(path)
  } catch (error) {
    if (signal?.aborted === true) throw interrupted()
    if (!(error instanceof DecompressionError)) throw error
    throw new C2mError('C2M_IMAGE_LAYER', `${what} is ${error.message}`, {
      hint: 'its digest is right, so it was published like this; ask the publisher of the image',
      cause: error,
    })
  } finally {
    await writer.discard()
  }
}
