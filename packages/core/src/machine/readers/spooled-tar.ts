import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { archiveRootfs, indexLayer, type Layer, type LayerEntry } from '@c2m/rootfs'
import type { Rootfs } from '@c2m/plugin-api'
import { C2mError, type CleanupStack, type Reporter } from '@c2m/process'

/** How XFS shows root the access lists once more, besides system.posix_acl_* (linux, fs/xfs/xfs_xattr.c). */
const SHOWN_TWICE = /^trusted\.SGI_ACL_(?:FILE|DEFAULT)$/

/** Bytes that stay free for everybody else on the file system of a spool. */
const RESERVE = 16 * 1024 * 1024
/** Bytes between two looks at how much is free. */
const CHECK_EVERY = 4 * 1024 * 1024

/**
 * Watches over a tar that comes from elsewhere and may have no end. The function that it gives is told of every piece.
 * @param spool the file that it is written to
 * @param origin who sends it, for messages
 * @param maximum bytes
 */
export function spoolLimit(spool: string, origin: string, maximum = Infinity): (bytes: number) => Promise<void> {
  const folder = dirname(spool)
  let size = 0
  let unchecked = CHECK_EVERY
  /** @throws C2M_SSH_TOO_LARGE; C2M_CACHE_FULL before all of it is used up */
  return async (bytes) => {
    size += bytes
    unchecked += bytes
    if (size > maximum) {
      throw new C2mError('C2M_SSH_TOO_LARGE', `${origin} sends more than ${maximum} bytes`, {
        hint: 'give a larger --max-size when the machine is that large',
      })
    }
    if (unchecked < CHECK_EVERY) return
    unchecked = 0
    const found = await statfs(folder).catch(() => undefined) // where that cannot be told, the writing will tell
    const free = found === undefined ? Infinity : found.bavail * found.bsize
    if (free >= RESERVE) return
    throw new C2mError('C2M_CACHE_FULL', `${folder} has only ${free} bytes free after ${size} bytes from ${origin}`, {
      hint: 'free some space there, prune the cache, or name another folder with C2M_CACHE_DIR',
    })
  }
}

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
  const rootfs = await archiveRootfs(withoutTwins(layer), signal)
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
