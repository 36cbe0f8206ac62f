import type { CleaningRule, DistroPlugin, DistroTraits, MachineTask, Match, Step } from '@c2m/plugin-api'
import type { NetworkManagers } from './configure/network-managers.js'
import { detect } from './detect.js'
import type { Archive } from './install/archive.js'
import { installSteps } from './install/install.js'
import { installedKernels } from './installed-kernels.js'
import { kernelFlavours, type KernelTable } from './kernel-flavours.js'
import { releaseOf, type Release } from './releases.js'
import { toImage } from './to-image.js'
import { toMachine } from './to-machine.js'

/** What makes one distro with dpkg, apt, systemd and initramfs-tools differ from another. */
export interface DistroData {
  /** os-release's ID, and the plugin's. */
  readonly id: string
  /** For messages, e.g. 'Debian'. */
  readonly name: string
  readonly summary: string
  /** Distros that say they are like this one but have other package names or another init. */
  readonly strangers: readonly string[]
  /** Oldest first. */
  readonly releases: readonly Release[]
  readonly kernels: (release: Release) => KernelTable
  readonly networkManagers: NetworkManagers
  /** Where releases are that left the mirrors. */
  readonly archive: Archive
  /** What tells the release that a derivative is built on: a field of os-release with its codename, a file with its number. */
  readonly parentRelease: { readonly field: string; readonly file?: string }
  /** Changes to the machine that no other distro needs; they come before the common ones. */
  readonly steps?: (owner: string, release: Release, task: MachineTask) => Promise<readonly Step[]>
  /** What only a machine of this distro needs. */
  readonly cleaning?: readonly CleaningRule[]
}

/**
 * mke2fs's names. The kernels (4.9 and later) and boot loaders of all releases read them; metadata_csum_seed and
 * orphan_file they do not all read.
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

export function distroPlugin(data: DistroData): DistroPlugin {
  const release = (match: Match) => releaseOf(match.version, data.releases)
  return {
    kind: 'distro',
    id: data.id,
    summary: data.summary,
    detect: (os, rootfs) => detect(data, os, rootfs),
    traits: (match, architecture, target): DistroTraits => ({
      init: 'systemd',
      packageManager: 'apt',
      kernels: kernelFlavours(data.kernels(release(match)), architecture, target),
      bootloaders: ['grub'],
      ext4Features: release(match).metadataChecksums
        ? EXT4_FEATURES
        : EXT4_FEATURES.filter((name) => name !== 'metadata_csum'),
      packageCaches: ['/var/cache/apt/archives', '/var/lib/apt/lists'],
    }),
    toMachine: (task: MachineTask) => toMachine(data, release(task.match), task),
    install: (packages, task) => installSteps(data, release(task.match), packages, task),
    kernels: installedKernels,
    toImage: (task) => toImage(data, task),
  }
}
