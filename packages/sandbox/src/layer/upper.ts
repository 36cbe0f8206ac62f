import type { Rootfs, RootfsEntry, Timestamp } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { cleanPath, type TarEntry, type TarInput, type TarMember } from '@c2m/rootfs'
import { lostOf, OVERLAY_ATTRIBUTE, type Limits, type Lost } from '../tree/placeholder.js'

export interface UpperOptions extends Limits {
  readonly base: Rootfs
  /** Seconds; what is newer gets this time, so that the same input gives the same bytes. */
  readonly sourceDateEpoch: number
  /** Paths of which only the directory itself belongs into the layer. */
  readonly contentless: readonly string[]
  warn(message: string): void
}

const WHITEOUT = '.wh.'
const OPAQUE_NAME = '.wh..wh..opq'
/** Set on what was copied up from the lower tree, not on what was made anew. */
const ORIGIN = /^(?:user|trusted)\.overlay\.origin$/
const OPAQUE = /^(?:user|trusted)\.overlay\.opaque$/
/** Of all bodies together: no package set comes near it, but a hostile image may try to fill the disk. */
const MAX_LAYER = 64 * 1024 ** 3

/**
 * An overlay's upper directory as a layer. What the kernel writes there (Documentation/filesystems/overlayfs.rst,
 * "whiteouts and opaque directories") becomes what the OCI image specification wants (layer.md, "Whiteouts"):
 *
 *     character device 0:0 NAME                    →  empty file .wh.NAME
 *     directory with overlay.opaque = "y"          →  the directory, and in it .wh..wh..opq
 *     directory that was only entered and changed  →  left out when its metadata is the base's
 *
 * `members` must come depth first, a directory before its content (GNU tar --sort=name).
 * @throws C2M_SANDBOX_TOO_LARGE, and what reading the tar throws
 */
export async function* convertUpper(
  members: AsyncIterable<TarMember>,
  options: UpperOptions,
): AsyncGenerator<TarInput> {
  // the kernel links all whiteouts to one inode, so the second one comes as a hard link to the first
  const whiteouts = new Set<string>()
  // below a directory that hides the base's, nothing has a counterpart in the base
  let fresh: string | undefined
  let total = 0
  for await (const member of members) {
    const path = cleanPath(member.path)
    if (options.contentless.some((directory) => path.startsWith(`${directory}/`))) continue
    if (fresh !== undefined && !path.startsWith(`${fresh}/`)) fresh = undefined
    const below = fresh === undefined ? await options.base.stat(path) : undefined
    if (isWhiteout(member, whiteouts)) {
      whiteouts.add(path)
      if (below !== undefined) yield marker(whiteoutPath(path), options)
      continue
    }
    if (nameOf(path).startsWith(WHITEOUT)) {
      options.warn(`/${path} was left out: a layer cannot hold names that begin with ${WHITEOUT}`)
      continue
    }
    total += member.storedSize
    if (total > MAX_LAYER) throw tooLarge()
    if (member.type !== 'directory') {
      yield { ...entryOf(member, path, isCopy(member, below) ? below : undefined, options), body: member.body }
      continue
    }
    const hides = isOpaque(member) || below?.type !== 'directory'
    if (hides) fresh ??= path
    const entry = entryOf(member, path, hides ? undefined : below, options)
    if (!hides && isSameDirectory(entry, below)) continue
    yield entry
    const emptied = options.contentless.includes(path)
    if (isOpaque(member) && below?.type === 'directory' && !emptied) yield marker(join(path, OPAQUE_NAME), options)
  }
}

function isWhiteout(member: TarMember, whiteouts: ReadonlySet<string>): boolean {
  if (member.type === 'hardlink') return whiteouts.has(cleanPath(member.linkTarget ?? ''))
  return member.type === 'character' && member.device?.major === 0 && member.device.minor === 0
}

function isOpaque(member: TarMember): boolean {
  for (const [name, value] of member.xattrs) {
    if (OPAQUE.test(name)) return Buffer.from(value).toString('latin1') === 'y'
  }
  return false
}

/** The kernel does not mark copies of hard-linked files; of those, nothing tells a copy from a file made anew. */
function isCopy(member: TarMember, below: RootfsEntry | undefined): boolean {
  if (below !== undefined && below.nlink > 1) return true
  return [...member.xattrs.keys()].some((name) => ORIGIN.test(name))
}

/** The member as it belongs into the layer; what the unpacked base could not hold of `original` comes back. */
function entryOf(member: TarMember, path: string, original: RootfsEntry | undefined, options: UpperOptions): TarInput {
  const lost: Lost = original?.type === member.type ? lostOf(original, options) : { xattrs: new Map() }
  const own = [...member.xattrs].filter(([name]) => !OVERLAY_ATTRIBUTE.test(name))
  return {
    path: path === '' ? './' : path,
    type: member.type,
    mode: member.mode,
    uid: member.uid === 0 ? (lost.uid ?? 0) : member.uid,
    gid: member.gid === 0 ? (lost.gid ?? 0) : member.gid,
    mtime: clampTime(member.mtime, options.sourceDateEpoch),
    size: member.size,
    ...(member.linkTarget === undefined ? {} : { linkTarget: linkTargetOf(member) }),
    ...(member.device === undefined ? {} : { device: member.device }),
    xattrs: new Map([...lost.xattrs, ...own]),
    ...(member.sparse === undefined ? {} : { sparse: member.sparse }),
  }
}

function linkTargetOf(member: TarMember): string {
  const target = member.linkTarget ?? ''
  return member.type === 'hardlink' ? cleanPath(target) : target
}

export function clampTime(time: Timestamp, epoch: number): Timestamp {
  return time.seconds >= epoch ? { seconds: epoch, nanoseconds: 0 } : time
}

/** Times of directories change whenever something in them does, which is no change to carry. */
export function isSameDirectory(entry: TarEntry, below: RootfsEntry): boolean {
  if (entry.mode !== below.mode || entry.uid !== below.uid || entry.gid !== below.gid) return false
  if (entry.xattrs.size !== below.xattrs.size) return false
  return [...entry.xattrs].every(([name, value]) => {
    const other = below.xattrs.get(name)
    return other !== undefined && Buffer.compare(value, other) === 0
  })
}

function marker(path: string, options: UpperOptions): TarInput {
  const mtime = { seconds: options.sourceDateEpoch, nanoseconds: 0 }
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime, size: 0, xattrs: new Map() }
}

function whiteoutPath(path: string): string {
  return join(path.slice(0, Math.max(path.lastIndexOf('/'), 0)), WHITEOUT + nameOf(path))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

function tooLarge(): C2mError {
  return new C2mError('C2M_SANDBOX_TOO_LARGE', `the packages changed more than ${MAX_LAYER} bytes of the image`, {
    hint: 'look at what the steps write; --verbose shows their output',
  })
}
