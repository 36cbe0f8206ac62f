import type { NetworkMode } from '@c2m/sandbox'
import type { DiskFormat, Firmware, MachineRequest, MachineTarget, PartitionTableType } from '@c2m/plugin-api'

/** How the package step is isolated. */
export type SandboxMode = 'userns' | 'root' | 'docker'

/** One conversion, every default filled in. */
export interface ContainerToVmRequest {
  /** Image reference with transport, or bare. */
  readonly image: string
  /** Path of the disk to be made: a file, or a block device that becomes the disk. */
  readonly output: string
  readonly format: DiskFormat
  /** Variant of a format: 'fixed' for vhd (as Azure wants it). */
  readonly subformat?: 'fixed'
  /** Replaces an output that exists, and whatever is on a device. */
  readonly force: boolean
  /** Bytes of the whole disk, or as much as content and a reserve need. */
  readonly size: number | 'auto'
  /** Boot loader id or family; the distro's first choice when undefined. */
  readonly bootloader?: string
  /** What it has to start under; whatever its boot loaders can when undefined. */
  readonly firmware?: Firmware
  readonly table: PartitionTableType
  readonly target: MachineTarget
  /** 'os/arch[/variant]'; linux on this host's architecture when undefined. */
  readonly platform?: string
  /** Distro plugin id, when the image does not say what it is. */
  readonly distro?: string
  readonly machine: MachineRequest
  /** Path of a kernel image that the user brings, instead of a flavour; its modules are looked for beside it. */
  readonly kernelFile?: string
  /** Bytes; 0 for none. */
  readonly swapSize: number
  /** Bytes of a /boot partition of its own; 0 for none. */
  readonly bootSize: number
  /** Bytes of the EFI system partition; 0 leaves it to the boot loader. */
  readonly espSize: number
  readonly sandbox: SandboxMode
  /** What the image's programs reach while packages are installed. */
  readonly sandboxNetwork: NetworkMode
  /** Seconds that each command of the package step may take; two hours when undefined. */
  readonly packageTimeout?: number
  /** Makes the package layer anew even when a cached one is there. */
  readonly refresh: boolean
  /** Everything random comes from it: the same seed and input give the same bytes. */
  readonly seed?: string
  /** Boots the result under each firmware that it is made for. */
  readonly verify: boolean
}

/** In the kernel's syntax; the last gets /dev/console: the serial port of a machine without a screen, the screen of metal. */
export function defaultConsoles(target: MachineTarget): readonly string[] {
  const [screen, serial] = ['tty0', 'ttyS0,115200n8']
  return target === 'vm' ? [screen, serial] : [serial, screen]
}

export const defaultMachine: MachineRequest = {
  hostname: 'localhost',
  sshKeys: [],
  users: [],
  network: { mode: 'dhcp' },
  dns: [],
  packages: [],
  cmdline: [],
  consoles: defaultConsoles('vm'),
}
