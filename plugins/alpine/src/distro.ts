import type { DistroPlugin, DistroTraits, MachineTarget, MachineTask, Match } from '@c2m/plugin-api'
import { detect } from './detect.js'
import { installSteps } from './install/install.js'
import { installedKernels } from './installed-kernels.js'
import { kernelFlavours, type KernelPackages } from './kernel-flavours.js'
import { releaseOf, type Release } from './releases.js'
import { toImage } from './to-image.js'
import { toMachine } from './to-machine.js'

/** What makes one distro with apk, OpenRC, busybox and mkinitfs differ from another. */
export interface DistroData {
  /** os-release's ID, and the plugin's. */
  readonly id: string
  /** For messages, e.g. 'Alpine Linux'. */
  readonly name: string
  readonly summary: string
  /** Distros that say they are like this one but have another init or other package names. */
  readonly strangers: readonly string[]
  /** Oldest first. */
  readonly releases: readonly Release[]
  /** Kernel flavours by GOARCH. */
  readonly kernels: KernelPackages
}

/**
 * mke2fs's names. The kernels (4.19 and later) of all releases read them; metadata_csum_seed and orphan_file they do not all
 * read.
 */
const EXT4_FEATURES = [
  'has_journal',
  'ext_attr',
  'resize_inode',
  'dir_index',
  'filetype',
  'extent',
  '64bit',
  'flex_bg',
  'sparse_super',
  'large_file',
  'huge_file',
  'dir_nlink',
  'extra_isize',
  'metadata_csum',
]

/**
 * For mkinitfs's init, which looks for drivers by what it finds but loads no driver of disks behind a controller by itself,
 * and mounts with the type that it is given.
 */
const CMDLINE = ['modules=sd-mod,usb-storage,ext4', 'rootfstype=ext4']

/** A virtual machine starts by BIOS, too, and so by the smallest; a computer of today perhaps by UEFI only. */
const BY_TARGET: Readonly<Record<MachineTarget, Pick<DistroTraits, 'bootloaders'>>> = {
  vm: { bootloaders: ['extlinux', 'grub'] },
  physical: { bootloaders: ['grub', 'extlinux'] },
}

export function distroPlugin(data: DistroData): DistroPlugin {
  const release = (match: Match) => releaseOf(match.version, data.releases)
  return {
    kind: 'distro',
    id: data.id,
    summary: data.summary,
    detect: (os, rootfs) => detect(data, os, rootfs),
    traits: (match, architecture, target): DistroTraits => ({
      init: 'openrc',
      packageManager: 'apk',
      kernels: kernelFlavours(data.kernels, release(match), architecture, target),
      ...BY_TARGET[target],
      ext4Features: EXT4_FEATURES,
      cmdline: CMDLINE,
      packageCaches: ['/var/cache/apk'],
    }),
    toMachine: (task: MachineTask) => toMachine(data.id, release(task.match), task),
    install: (packages, task) => installSteps(data, release(task.match), packages, task),
    kernels: installedKernels,
    toImage,
  }
}
