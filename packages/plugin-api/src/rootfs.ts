/**
 * The waist of c2m: one shape for an image's merged layers, a disk's file system, a directory.
 *
 * Paths are relative, '/'-separated, without a leading or trailing slash; the root itself is ''. Names are UTF-8;
 * bytes that are not valid UTF-8 appear as the lone surrogates U+DC80 to U+DCFF (Python's surrogateescape), so that
 * every name round-trips.
 */

/** Seconds since the epoch (may be negative, may exceed 32 bits) and nanoseconds in [0, 999 999 999]. */
export interface Timestamp {
  readonly seconds: number
  readonly nanoseconds: number
}

export interface DeviceNumber {
  readonly major: number
  readonly minor: number
}

export type EntryType = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket'

export interface RootfsEntry {
  readonly path: string
  readonly type: EntryType
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: Timestamp
  /** Bytes of a regular file's content, holes included; 0 for other types. */
  readonly size: number
  /** Of a symlink: the target as stored, never resolved. */
  readonly linkTarget?: string
  /** Of a character or block device. */
  readonly device?: DeviceNumber
  /** Entries that share an inode are hard links of one file. Unique within one Rootfs, otherwise without meaning. */
  readonly inode: number
  readonly nlink: number
  readonly xattrs: ReadonlyMap<string, Uint8Array>
}

/** A run of content at `offset`, in rising order; what lies between runs is a hole and reads as zeros. */
export interface Extent {
  readonly offset: number
  readonly data: Uint8Array
}

/** The body of one regular file. Extents may reuse their memory: use or copy `data` before asking for the next one. */
export type Body = AsyncIterable<Extent>

export interface Rootfs extends AsyncDisposable {
  /** Depth first, a directory before its children, siblings ordered by raw name bytes; begins with the root ('') or `from`. */
  walk(from?: string): AsyncIterable<RootfsEntry>
  /** Never follows a link in the last component; parents are resolved inside the tree. Undefined when there is none. */
  stat(path: string): Promise<RootfsEntry | undefined>
  /** Follows every symlink, confined to the tree as chroot would; undefined when it leads nowhere or loops. */
  resolve(path: string): Promise<string | undefined>
  /** Names in a directory, ordered by raw bytes; empty when there is no such directory. */
  list(path: string): Promise<readonly string[]>
  /** The body of a regular file (not through a final symlink). @throws when there is no such file. */
  stream(path: string): Body
  /**
   * Every regular file's body once (the first name of a hard-link group stands for it), in the order in which the bytes
   * are stored. Each body must be consumed, or dropped, before the next is asked for.
   */
  contents(): AsyncIterable<{ readonly entry: RootfsEntry; readonly body: Body }>
}

/** What `put` needs to know of an entry; the rest has defaults: uid and gid 0, mtime of the edit, no xattrs. */
export interface NewEntry {
  readonly path: string
  readonly type: EntryType
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: Timestamp
  readonly linkTarget?: string
  readonly device?: DeviceNumber
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
}

/** Bytes, or a body that is opened anew each time it is read, with its exact size. */
export type NewBody = Uint8Array | { readonly size: number; open(): Body }

export interface RootfsChange {
  readonly path: string
  readonly kind: 'added' | 'changed' | 'removed'
}

/** Copy on write: the tree below is never touched. Paths are resolved inside the tree, so an edit cannot leave it. */
export interface RootfsEdit extends Rootfs {
  /** Creates or replaces one name; missing parents are made (0755, root). A directory that exists keeps its children. */
  put(entry: NewEntry, body?: NewBody): Promise<void>
  /** Makes `to` another name of the file `from`. */
  link(from: string, to: string): Promise<void>
  /** Removes one name, a directory with all below it; nothing happens when there is none. */
  remove(path: string): Promise<void>
  readonly changes: readonly RootfsChange[]
}
