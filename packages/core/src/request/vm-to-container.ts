import type { DiskFormat } from '@c2m/plugin-api'
import type { LayerCompression } from '@c2m/image'

export type ReaderId = 'direct' | 'nbd' | 'guestfs'

/** What runs in the container: an init system by its id, one service, a shell, or nothing that the image names. */
export type InitRequest =
  | { readonly kind: 'init'; readonly id: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'shell' | 'none' }

/** Everything that one conversion of a machine into an image needs to know. */
export interface VmToContainerRequest {
  /** A disk image, a block device, a partition's dump, a root file system's tar ('-' for standard input), or 'ssh://[USER@]HOST'. */
  readonly machine: string
  /** As `parseDestination` takes it. */
  readonly output: string
  /** Names, 'NAME:TAG', beside the destination's own. */
  readonly tags: readonly string[]
  readonly force: boolean
  readonly reader: ReaderId
  /** Of the disk; undefined: told by its own bytes. */
  readonly format?: DiskFormat
  readonly allowBacking: readonly string[]
  /** The volume that is the root; undefined: found. */
  readonly root?: string
  readonly passphraseFile?: string
  /** Of a running machine: read with sudo there. */
  readonly sudo: boolean
  /** Of a running machine: all its file systems, not only the root's. */
  readonly allFilesystems: boolean
  /** Of a running machine: bytes that its tree may take; undefined: as many as there is space for. */
  readonly maxBytes?: number
  readonly distro?: string
  /** Ids of cleaning rules, or 'all'. */
  readonly clean: readonly string[]
  readonly keep: readonly string[]
  /** Globs of paths that stay behind. */
  readonly exclude: readonly string[]
  /** Files that look like secrets stay behind. */
  readonly excludeSecrets: boolean
  /** Character and block devices go into the image. */
  readonly devices: boolean
  /** Of a machine that c2m made: without what c2m added. */
  readonly onlyOriginal: boolean
  /** Undefined: chosen from what the machine runs. */
  readonly init?: InitRequest
  readonly compression?: LayerCompression
  readonly level?: number
  readonly splitLayers: boolean
}
