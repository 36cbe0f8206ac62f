import { archiveRootfs, indexLayer, type Layer, type LayerEntry } from '@c2m/rootfs'
import type { Rootfs } from '@c2m/plugin-api'
import type { CleanupStack, Reporter } from '@c2m/process'

/** How XFS shows root the access lists once more, besides system.posix_acl_* (linux, fs/xfs/xfs_xattr.c). */
const SHOWN_TWICE = /^trusted\.SGI_ACL_(?:FILE|DEFAULT)$/

/**
 * The tree of an uncompressed tar that another program wrote. A tar of a live tree may name a file twice; the last wins, as
 * when it is unpacked.
 */
export async function openSpooledTar(
  path: string,
  { signal, reporter }: { readonly signal: AbortSignal; readonly reporter: Reporter },
  cleanup: CleanupStack,
): Promise<Rootfs> {
  const layer = await indexLayer(path, { signal, warn: (message) => reporter.warn(message) })
  const rootfs = await archiveRootfs(withoutTwins(layer))
  cleanup.defer(() => rootfs[Symbol.asyncDispose]())
  return rootfs
}

function withoutTwins(layer: Layer): Layer {
  const entries: LayerEntry[] = []
  const own: Layer = {
    tarPath: layer.tarPath,
    size: layer.size,
    archive: () => layer.archive(),
    entries,
    stream: (entry) => layer.stream(entry),
    bodies: (list) => layer.bodies(list),
    [Symbol.asyncDispose]: () => layer[Symbol.asyncDispose](),
  }
  for (const entry of layer.entries) {
    const kept = [...entry.xattrs].filter(([name]) => !SHOWN_TWICE.test(name))
    const xattrs = kept.length === entry.xattrs.size ? entry.xattrs : new Map(kept)
    entries.push({ ...entry, xattrs, layer: own })
  }
  return own
}
