import type { RootfsEdit } from './rootfs.js'
import type { DiskPlan, PartitionRole } from './disk.js'

/**
 * Steps are data: the core prints, orders, caches and runs them. A value that is not known when the plan is made is a
 * function of the context, called when the step's turn comes; a plan prints it as computed.
 */
export type Phase = 'packages' | 'configure' | 'boot' | 'assemble'

export interface StepContext {
  /** The tree after all earlier steps. */
  readonly rootfs: RootfsEdit
  readonly disk: DiskPlan
  readonly signal: AbortSignal
  /** Tells the user something that they should know but that stops nothing. */
  warn(message: string): void
  /** Deterministic pseudo-random bytes from the conversion's seed; the same label gives the same bytes. */
  random(label: string, length: number): Uint8Array
  /** Where files lie on the disk, by path: in phase 'assemble', those that a step's `locate` names. */
  readonly places: ReadonlyMap<string, FilePlace>
}

/** A regular file on the disk that is being made. */
export interface FilePlace {
  /** The partition whose file system holds it. */
  readonly partition: PartitionRole
  /** In rising order of `at`, without gaps unless the file has holes; whole blocks of the file system. */
  readonly extents: readonly FileExtent[]
}

export interface FileExtent {
  /** Bytes from the start of the file. */
  readonly at: number
  /** Bytes from the start of the partition. */
  readonly offset: number
  /** Bytes; the last extent may reach beyond the file's end. */
  readonly length: number
}

export type Lazy<T> = T | ((context: StepContext) => T | Promise<T>)

interface StepBase {
  /** Unique in the plan, e.g. 'example/fstab'. */
  readonly id: string
  /** One line for the user, e.g. 'write /etc/fstab'. */
  readonly title: string
}

/** Packages to install with the distro's package manager; the core collects them from all plugins and the user. */
export interface InstallStep extends StepBase {
  readonly phase: 'packages'
  readonly do: 'install'
  readonly packages: readonly string[]
}

/**
 * A command run inside the image's tree in the sandbox. Part of the package layer's cache key, so it must not depend on
 * names, UUIDs or anything else that differs between two machines made from one image.
 */
export interface ExecStep extends StepBase {
  readonly phase: 'packages'
  readonly do: 'exec'
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** A file that is there only while the packages phase runs; afterwards what was there before is there again. */
export interface TemporaryFileStep extends StepBase {
  readonly phase: 'packages'
  readonly do: 'temporaryFile'
  readonly path: string
  readonly content: string
  readonly mode: number
}

/** A regular file's whole content. Mode, owner and xattrs of a file that exists are kept unless given. */
export interface WriteStep extends StepBase {
  readonly phase: 'configure' | 'boot'
  readonly do: 'write'
  readonly path: string
  readonly content: Lazy<string | Uint8Array | undefined>
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

export interface SymlinkStep extends StepBase {
  readonly phase: 'configure' | 'boot'
  readonly do: 'symlink'
  readonly path: string
  readonly target: string
}

export interface RemoveStep extends StepBase {
  readonly phase: 'configure' | 'boot'
  readonly do: 'remove'
  readonly paths: readonly string[]
}

/** Bytes outside of file systems: boot code. */
export interface WriteBlocksStep extends StepBase {
  readonly phase: 'assemble'
  readonly do: 'writeBlocks'
  /**
   * Byte offset from the start of the disk, or from the start of the partition with this role; or over the bytes of a file,
   * from its start, where its file system has put it (the file must also be in `locate`).
   */
  readonly where: { readonly partition?: PartitionRole; readonly offset: number } | { readonly file: string }
  /** Absolute paths of files whose places `bytes` or `where` need. */
  readonly locate?: readonly string[]
  readonly bytes: Lazy<Uint8Array>
}

export interface CustomStep extends StepBase {
  readonly phase: 'configure' | 'boot'
  readonly do: 'custom'
  readonly run: (context: StepContext) => Promise<void>
}

export type Step =
  InstallStep | ExecStep | TemporaryFileStep | WriteStep | SymlinkStep | RemoveStep | WriteBlocksStep | CustomStep
