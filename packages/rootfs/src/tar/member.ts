import type { Body, DeviceNumber, EntryType, Timestamp } from '@c2m/plugin-api'

/** Tar names a hard link as an entry of its own type; a socket it cannot express. */
export type TarEntryType = Exclude<EntryType, 'socket'> | 'hardlink'

export interface TarEntry {
  /** As stored in the archive by readTar, not yet cleaned: it may be absolute or hold '..'; see cleanPath. */
  readonly path: string
  readonly type: TarEntryType
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: Timestamp
  /** Bytes of a regular file, holes included; 0 for other types. */
  readonly size: number
  /** Of a symlink its target; of a hard link the path of an earlier member. */
  readonly linkTarget?: string
  readonly device?: DeviceNumber
  readonly xattrs: ReadonlyMap<string, Uint8Array>
}

/** A run of data in a file with holes, in bytes. */
export interface SparseRun {
  readonly offset: number
  readonly length: number
}

/** Where a member lies in its archive, in bytes. */
export interface StoredMember extends TarEntry {
  /** Of the first header block, extension headers included. */
  readonly headerOffset: number
  readonly bodyOffset: number
  /** Bytes of the body in the archive; less than `size` when there are holes. */
  readonly storedSize: number
  /** The runs of data, in rising order, whose bytes follow each other from bodyOffset on; undefined without holes. */
  readonly sparse?: readonly SparseRun[]
}

export interface TarMember extends StoredMember {
  /** Can be read once, before the next member is asked for; what is not read is skipped. */
  readonly body: Body
}

export interface TarInput extends TarEntry {
  /** Of a regular file with size > 0. */
  readonly body?: Body
  /** When given, only these runs are stored (PAX format 1.0 of GNU sparse files), and the body must lie within them. */
  readonly sparse?: readonly SparseRun[]
}

export const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map<string, Uint8Array>()
