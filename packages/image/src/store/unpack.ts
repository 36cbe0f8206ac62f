import { interrupted, type Reporter } from '@c2m/process'
import { TreeBudget, type Layer } from '@c2m/rootfs'
import type { FoundImage, LayerSource } from '../image.js'
import { openLayer, type UnpackContext } from './layer.js'
import { createBudget } from './limits.js'
import { isFile, requireSpace, type ImageStore } from './store.js'

const PARALLEL = 3

/**
 * All layers of an image, lowest first, at most three at a time. When one fails the others are stopped, and none stays
 * open. A layer that an image has twice is unpacked once.
 */
export async function unpackLayers(
  image: FoundImage,
  context: { store: ImageStore; reporter: Reporter; signal: AbortSignal | undefined; maxUnpackedBytes: number },
): Promise<readonly Layer[]> {
  const { store, reporter, maxUnpackedBytes } = context
  await requireSpace(store, await missingBytes(image.layers, store))
  const failed = new AbortController()
  const signal = context.signal === undefined ? failed.signal : AbortSignal.any([context.signal, failed.signal])
  const unpacking: UnpackContext = {
    store,
    reporter,
    signal,
    budget: createBudget(maxUnpackedBytes, image.origin),
    treeBudget: new TreeBudget(image.origin),
  }

  const layers: Layer[] = []
  const firsts = new Map<string, Promise<unknown>>()
  const queue = image.layers.entries()
  let firstError: { error: unknown } | undefined
  const work = async () => {
    for (const [index, source] of queue) {
      if (signal.aborted) return
      try {
        await firsts.get(source.diffId)
        const opening = openLayer(source, unpacking)
        if (!firsts.has(source.diffId))
          firsts.set(
            source.diffId,
            opening.catch(() => undefined),
          )
        layers[index] = await opening
      } catch (error) {
        firstError ??= { error }
        failed.abort()
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  if (firstError === undefined && !signal.aborted) return layers
  for (const layer of layers) await (layer as Layer | undefined)?.[Symbol.asyncDispose]()
  throw context.signal?.aborted === true ? interrupted() : firstError!.error
}

/** A lower bound: unpacked layers are no smaller than their blobs. */
async function missingBytes(layers: readonly LayerSource[], store: ImageStore): Promise<number> {
  let bytes = 0
  for (const { diffId, blob } of layers) if (!(await isFile(store.layerPath(diffId)))) bytes += blob?.size ?? 0
  return bytes
}
