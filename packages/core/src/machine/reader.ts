import type { DiskFormat, Rootfs } from '@c2m/plugin-api'
import type { Reporter } from '@c2m/process'

/** What every reader is told. */
export interface ReaderContext {
  /** Undefined: told by the file's own bytes. */
  readonly format?: DiskFormat
  /** Folders that images which this one is based on may lie in. */
  readonly allowBacking?: readonly string[]
  /** The volume that is the root, as the user names it. */
  readonly root?: string
  /** Where boot loaders keep their menus: see BootloaderPlugin. */
  readonly menus: readonly string[]
  /** Holds the passphrase of encrypted volumes. */
  readonly passphraseFile?: string
  /** Folder for what has to be kept on disk while a machine is read. */
  readonly temporaryFolder: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly reporter: Reporter
}

/** A machine whose tree can be read. */
export interface OpenedMachine {
  /** All of its file systems as one tree. */
  readonly rootfs: Rootfs
  /** Where the root was found, e.g. 'partition 3 (ext4, label root)'. */
  readonly root: string
  /** Why that is the root, where it was chosen. */
  readonly reasons: readonly string[]
  readonly mounts: readonly { readonly path: string; readonly from: string }[]
}
