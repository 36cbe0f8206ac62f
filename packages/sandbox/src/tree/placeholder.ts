import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { ID_COUNT } from '../namespace/id-mapping.js'

/**
 * What of an image's tree cannot exist in the unpacked base:
 *
 * - in a user namespace: owners above the mapped ids (root stands in for them), and extended attributes that only the host's
 *   root may set (left out);
 * - anywhere: devices, which a trusted image would open, and the overlay's own attributes, which would be taken for
 *   instructions.
 *
 * Metadata of what stays untouched comes from the image's layers, so nothing is lost by this; `lostOf` says what has to
 * come back when an entry was changed.
 */
export interface Limits {
  /** Whether the base lies in a user namespace. */
  readonly mapped: boolean
}

/** Attributes that overlay file systems keep for themselves (Documentation/filesystems/overlayfs.rst). */
export const OVERLAY_ATTRIBUTE = /^(?:user|trusted)\.overlay\./

export interface Lost {
  readonly uid?: number
  readonly gid?: number
  readonly xattrs: ReadonlyMap<string, Uint8Array>
}

export function lostOf(entry: RootfsEntry, limits: Limits): Lost {
  const xattrs = new Map([...entry.xattrs].filter(([name]) => !canSet(name, limits)))
  return {
    ...(isMapped(entry.uid, limits) ? {} : { uid: entry.uid }),
    ...(isMapped(entry.gid, limits) ? {} : { gid: entry.gid }),
    xattrs,
  }
}

function isMapped(id: number, limits: Limits): boolean {
  return !limits.mapped || id < ID_COUNT
}

function canSet(name: string, limits: Limits): boolean {
  if (OVERLAY_ATTRIBUTE.test(name)) return false
  if (!limits.mapped) return true
  return name.startsWith('user.') || name === 'security.capability' || name.startsWith('system.posix_acl_')
}

/** The entry as it can be unpacked; undefined when it cannot. */
function placeholder(entry: RootfsEntry, limits: Limits): RootfsEntry | undefined {
  if (entry.type === 'character' || entry.type === 'block') return undefined
  const lost = lostOf(entry, limits)
  if (lost.uid === undefined && lost.gid === undefined && lost.xattrs.size === 0) return entry
  return {
    ...entry,
    uid: lost.uid === undefined ? entry.uid : 0,
    gid: lost.gid === undefined ? entry.gid : 0,
    xattrs: new Map([...entry.xattrs].filter(([name]) => !lost.xattrs.has(name))),
  }
}

/** The tree as it can be unpacked. Does not own `base`. */
export function unpackable(base: Rootfs, limits: Limits): Rootfs {
  return {
    async *walk(from?: string) {
      for await (const entry of base.walk(from)) {
        const kept = placeholder(entry, limits)
        if (kept !== undefined) yield kept
      }
    },
    async stat(path: string) {
      const entry = await base.stat(path)
      return entry === undefined ? undefined : placeholder(entry, limits)
    },
    resolve: (path: string) => base.resolve(path),
    list: (path: string) => base.list(path),
    stream: (path: string): Body => base.stream(path),
    async *contents() {
      for await (const { entry, body } of base.contents()) {
        const kept = placeholder(entry, limits)
        if (kept !== undefined) yield { entry: kept, body }
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
