import type { DiskFormat, DiskPlan, Firmware, PartitionRequest, PartitionTableType } from './disk.js'
import type { BootTraces, ImageTask, MachineFindings } from './image.js'
import type { MachineRequest, MachineTarget } from './machine.js'
import type { Body, Rootfs } from './rootfs.js'
import type { Step } from './step.js'

/** A plain object, found by shape: no class, decorator or instanceof, so two copies of this package do no harm. */
export interface C2mPlugin {
  readonly name: string
  readonly apiVersion: 1
  readonly contributes: readonly Contribution[]
}

export type Contribution = DistroPlugin | BootloaderPlugin

/** /etc/os-release (os-release(5)), parsed. */
export interface OsRelease {
  /** ID, 'linux' when absent. */
  readonly id: string
  /** ID_LIKE, nearest relative first. */
  readonly idLike: readonly string[]
  /** VERSION_ID as printed; compare number by number, never as a string. */
  readonly versionId?: string
  readonly prettyName: string
  readonly fields: ReadonlyMap<string, string>
}

export interface Match {
  /** 0: the image's ID is this plugin's; n: the nth word of ID_LIKE is. The smallest distance wins. */
  readonly distance: number
  readonly os: OsRelease
  /** The release's number, [12] or [24, 4]; undefined for a rolling or unknown one. */
  readonly version?: readonly number[]
}

export interface DistroTraits {
  readonly init: 'systemd' | 'openrc' | (string & {})
  readonly packageManager: 'apt' | 'apk' | (string & {})
  /** The first is the default; none when the distro has no kernel packages. */
  readonly kernels: readonly KernelFlavour[]
  /** Boot loader ids or families, preferred first. */
  readonly bootloaders: readonly string[]
  /** ext4 feature names (mke2fs's) that this release's kernel and boot loaders can read. */
  readonly ext4Features: readonly string[]
  /** Whether its machines can have a kernel that the user gives: `MachineTask.givenKernel`. */
  readonly takesKernel?: boolean
  /** Words that this distro's kernels or initramfs need on the kernel command line, before those of the user. */
  readonly cmdline?: readonly string[]
  /** Caches of the package manager, kept on the host across runs and never part of the image. */
  readonly packageCaches: readonly string[]
}

export interface KernelFlavour {
  readonly id: string
  readonly packages: readonly string[]
  /** Disk formats on whose usual hypervisors this kernel finds no disk, and why. */
  readonly unsuitable?: { readonly formats: readonly DiskFormat[]; readonly because: string }
}

/** A kernel that the user gave, for distros that say in their traits that they take one. */
export interface GivenKernel {
  /** As `uname -r` prints it, e.g. '6.1.0-31-cloud-amd64'. */
  readonly release: string
  /** The file that a boot loader loads. */
  readonly image: { readonly size: number; open(): Body }
  /** What belongs into /lib/modules/RELEASE; undefined when none lay beside the image. */
  readonly modules?: Rootfs
}

/** A kernel in the tree. Paths are absolute in the guest. */
export interface InstalledKernel {
  readonly version: string
  readonly kernel: string
  readonly initrd?: string
}

/** The part of an image's configuration that distro plugins may want to know (OCI image-spec, config.md). */
export interface ImageConfig {
  readonly user?: string
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workingDir?: string
  readonly exposedPorts: readonly string[]
  readonly stopSignal?: string
  readonly labels: Readonly<Record<string, string>>
}

/** What a distro plugin is told when a machine is to be made. */
export interface MachineTask {
  readonly match: Match
  /** GOARCH, e.g. 'amd64'. */
  readonly architecture: string
  readonly traits: DistroTraits
  readonly image: ImageConfig
  /** The image's tree as it came, for looking. */
  readonly rootfs: Rootfs
  readonly machine: MachineRequest
  /** Instead of a flavour's packages; only when the traits say that the distro takes one. */
  readonly givenKernel?: GivenKernel
  readonly target: MachineTarget
  readonly disk: DiskPlan
  warn(message: string): void
}

export interface DistroPlugin {
  readonly kind: 'distro'
  readonly id: string
  readonly summary: string
  /** Reads only; undefined when the image is none of this plugin's. An image without os-release has the id 'linux'. */
  detect(os: OsRelease, rootfs: Rootfs): Promise<Match | undefined>
  /** What is installed, and what is warned of, may follow from the target: on 'physical' any hardware may be there. */
  traits(match: Match, architecture: string, target: MachineTarget): DistroTraits
  /** Packages, init, network, accounts, console, growing of the root: everything but boot loader. */
  toMachine(task: MachineTask): Promise<readonly Step[]> | readonly Step[]
  /** How this distro's package manager installs the collected packages in the sandbox: exec and temporaryFile steps. */
  install(packages: readonly string[], task: MachineTask): Promise<readonly Step[]> | readonly Step[]
  /** Kernels in a tree, newest first. */
  kernels(rootfs: Rootfs): Promise<readonly InstalledKernel[]>
  /** The way back: what only a machine needs, what it runs. Without it, what holds for every Linux is found. */
  toImage?(task: ImageTask): Promise<MachineFindings>
}

export interface BootTarget {
  readonly table: PartitionTableType
  readonly architecture: string
  readonly physical: boolean
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly because: string; readonly hint: string }

/** What a boot loader plugin is told. */
export interface BootTask {
  readonly architecture: string
  readonly packageManager: string
  /** Ids of all boot loaders that go onto this disk, this one included. */
  readonly members: readonly string[]
  readonly disk: DiskPlan
  /** Kernel command line without root=. */
  readonly cmdline: readonly string[]
  readonly consoles: readonly string[]
  /** Name for menus and EFI entries, e.g. 'Example Linux 12 (name)' and 'example'. */
  readonly osName: string
  readonly osId: string
  /** Seconds that a menu is shown. */
  readonly timeout: number
  /** Kernels in the tree, newest first: to be asked when a lazy value is computed. */
  kernels(rootfs: Rootfs): Promise<readonly InstalledKernel[]>
}

/** A disk that somebody made, for looking. */
export interface FoundDisk {
  /** The first 512 bytes. */
  readonly bootSector: Uint8Array
  /** The machine's tree. */
  readonly rootfs: Rootfs
}

export interface BootloaderPlugin {
  readonly kind: 'bootloader'
  readonly id: string
  readonly summary: string
  /** Members of a family combine on one disk. */
  readonly family?: string
  readonly firmware: readonly Firmware[]
  readonly architectures: readonly string[]
  supports(target: BootTarget, traits: DistroTraits): Verdict
  partitions(target: BootTarget): readonly PartitionRequest[]
  /** Packages by the package manager's names; members of one family may have to agree. */
  packages(task: Pick<BootTask, 'packageManager' | 'architecture' | 'members'>): readonly string[]
  /**
   * Names of programs that look for the machine's disks, e.g. its installer. While packages are installed there is none
   * and the programs would fail, so until then the core puts ones before them in PATH that do nothing.
   */
  readonly diskCommands?: readonly string[]
  /** ext4 features, by mke2fs's names, that some of its versions cannot read; file systems on its disks go without. */
  readonly unreadableExt4Features?: readonly string[]
  /** Paths of its menus from the top of the file system that holds them: a kernel's root= in one names a machine's root. */
  readonly menus?: readonly string[]
  /** What the way back leaves out of an image. */
  readonly traces?: BootTraces
  /** What a disk has of this boot loader, in words for the user; undefined when nothing. Reads only. */
  recognize?(disk: FoundDisk): Promise<string | undefined> | string | undefined
  install(task: BootTask): readonly Step[]
}
