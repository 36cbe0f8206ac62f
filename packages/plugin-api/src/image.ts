/** A machine on its way to an image: what its distro's plugin knows of it. */

import type { Match } from './plugin.js'
import type { Rootfs } from './rootfs.js'
import type { Step } from './step.js'

/** What a distro plugin is told when an image is to be made of a machine. */
export interface ImageTask {
  readonly match: Match
  /** GOARCH, e.g. 'amd64'. */
  readonly architecture: string
  /** The machine's tree, joined from its partitions, for looking. */
  readonly rootfs: Rootfs
  /** Of all boot loaders whose plugins are loaded. */
  readonly boot?: BootTraces
  /** Variables that are secrets stay out of the services' processes, as the files that hold them stay out of the image. */
  readonly excludeSecrets?: boolean
  warn(message: string): void
}

/** What a boot loader leaves in a machine that a container has no use for. */
export interface BootTraces {
  /** Globs as in {@link CleaningRule}: its folders in /boot, and what was written to keep them up to date. */
  readonly files: readonly string[]
  /** Names of services, as OpenRC has them, of systemd's without '.service'. */
  readonly services: readonly string[]
}

/**
 * Something that only a machine needs, under an id that --clean and --keep name. Globs are absolute paths; '*' stands for
 * any characters within a name, '**' for any directories, '{a,b}' for either. They never follow a symlink.
 */
export interface CleaningRule {
  /** Unique among the machine's rules, e.g. 'kernel'. */
  readonly id: string
  /** For the report, e.g. 'kernels, their modules and firmware'. */
  readonly summary: string
  /** False: only when asked for with --clean, because it may be the user's data. */
  readonly byDefault: boolean
  /** Entries that go, directories with all below them. */
  readonly remove?: readonly string[]
  /** Entries that go unless they are directories: for names that files have (`*.1`, `core`), and directories may have too. */
  readonly removeFiles?: readonly string[]
  /** Directories that stay while all below them goes. */
  readonly empty?: readonly string[]
  /** Regular files that stay without their content. */
  readonly truncate?: readonly string[]
  /** Entries that stay though one of the globs above names them. */
  readonly except?: readonly string[]
}

/** What runs in a container, in the terms of an image's configuration (OCI image-spec, config.md). */
export interface ContainerProcess {
  readonly entrypoint: readonly string[]
  readonly cmd?: readonly string[]
  /** user[:group] */
  readonly user?: string
  readonly workingDir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stopSignal?: string
  /** Directories that it needs, made where they are missing: an image's /run is empty. */
  readonly directories?: readonly ContainerDirectory[]
}

export interface ContainerDirectory {
  /** Absolute. */
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** A service that the machine starts by itself, found without running it. */
export interface MachineService {
  /** As the init system names it, e.g. 'nginx.service' under systemd, 'nginx' under OpenRC. */
  readonly name: string
  readonly description?: string
  /** 'system': keeps a machine going (udev, logging, time); 'application': what the machine is for. */
  readonly role: 'system' | 'application'
  /** 'PORT/tcp' or 'PORT/udp'. */
  readonly ports: readonly string[]
  /** Directories of data that outlives a container: absolute paths. */
  readonly volumes: readonly string[]
}

/** An init system as a container's first process. */
export interface ContainerInit {
  /** What --init names, e.g. 'systemd'. */
  readonly id: string
  readonly process: ContainerProcess
  /** Changes to the tree that it needs there, e.g. masked units: steps of phase 'configure'. */
  readonly steps: readonly Step[]
  /** Further arguments of `docker run`, e.g. ['--tmpfs', '/run']. */
  readonly runArguments: readonly string[]
}

/** What a distro plugin finds in a machine. */
export interface MachineFindings {
  readonly cleaning: readonly CleaningRule[]
  /** Enabled ones. */
  readonly services: readonly MachineService[]
  /**
   * A service, enabled or not, as a container's only process, in its foreground form.
   * @throws an error that says why it cannot be one
   */
  service(name: string): Promise<ContainerProcess>
  /** Init systems that the machine has. */
  readonly inits: readonly ContainerInit[]
  /** Further directories that may hold data, with a word on each. */
  readonly dataDirectories?: readonly { readonly path: string; readonly note: string }[]
  /** Paths (as Rootfs spells them) that the package manager put there: the lower one of two layers. */
  packageFiles(): Promise<ReadonlySet<string>>
}
