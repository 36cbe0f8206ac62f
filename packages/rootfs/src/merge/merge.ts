import type { Body, Rootfs } from '@c2m/plugin-api'
import type { Layer, LayerEntry } from '../layer/layer.js'
import type { BodyStore } from '../tree/tree-rootfs.js'
import { TreeRootfs } from '../tree/tree-rootfs.js'
import { Merger, type MergedMetadata, type MergedNode } from './merger.js'

/**
 * One tree of an image's layers, lowest first. The tree takes the layers over: disposing it closes them, also when merging
 * fails.
 * @param signal ends the merging, and walks of the tree
 * @throws C2M_LAYER_… when an entry cannot be applied; C2M_LINKS_TOO_LONG; C2M_TREE_TOO_LARGE; C2M_INTERRUPTED
 */
export function mergeLayers(layers: readonly Layer[], signal?: AbortSignal): Promise<Rootfs> {
  return merge(layers, signal, (merger, layer) => merger.apply(layer))
}

/**
 * The tree of an archive that is no layer of an image: names that begin with '.wh.' are names like others. The tree takes
 * it over, as mergeLayers does.
 * @throws what mergeLayers throws
 */
export function archiveRootfs(archive: Layer, signal?: AbortSignal): Promise<Rootfs> {
  return merge([archive], signal, (merger, layer) => merger.unpack(layer))
}

async function merge(
  layers: readonly Layer[],
  signal: AbortSignal | undefined,
  take: (merger: Merger, layer: Layer) => Promise<void>,
): Promise<Rootfs> {
  const store = new LayerStore(layers)
  try {
    const merger = new Merger(signal)
    for (const layer of layers) await take(merger, layer)
    return new TreeRootfs(merger.root, store, signal)
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

class LayerStore implements BodyStore<MergedMetadata> {
  readonly #layers: readonly Layer[]

  constructor(layers: readonly Layer[]) {
    this.#layers = layers
  }

  stream(node: MergedNode): Body {
    const entry = storedEntry(node)
    return entry.layer.stream(entry)
  }

  mayHaveHoles(node: MergedNode): boolean {
    return storedEntry(node).sparse !== undefined
  }

  async *contents(nodes: readonly MergedNode[]): AsyncGenerator<{ node: MergedNode; body: Body }> {
    const perLayer = new Map<Layer, MergedNode[]>(this.#layers.map((layer) => [layer, []]))
    for (const node of nodes) {
      const own = perLayer.get(storedEntry(node).layer)
      if (own === undefined) throw new Error(`${node.name} is of a layer that is not the tree's`)
      own.push(node)
    }
    for (const [layer, inLayer] of perLayer) {
      inLayer.sort((a, b) => storedEntry(a).bodyOffset - storedEntry(b).bodyOffset)
      let index = 0
      for await (const body of layer.bodies(inLayer.map(storedEntry))) yield { node: inLayer[index++]!, body }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const layer of this.#layers) await layer[Symbol.asyncDispose]()
  }
}

/** Regular files come from layers only; what is made without a layer are directories. */
function storedEntry(node: MergedNode): LayerEntry {
  return node.inode.metadata as LayerEntry & MergedMetadata
}
