import { compareVersions, parseVersion, readText } from '@c2m/linux'
import type { OsRelease, Rootfs } from '@c2m/plugin-api'
import type { DistroData } from './distro.js'
import { SPLIT_IN_13, debianFirmware, type Firmware } from './firmware.js'

/** What differs between a distro's releases, as far as making a machine is concerned. */
export interface Release {
  /** The number as it is written, e.g. '12'. */
  readonly name: string
  readonly version: readonly number[]
  readonly codename: string
  /** Moved from the mirrors to the archive: surely, or by now perhaps. */
  readonly archived: 'yes' | 'perhaps' | 'no'
  /** Parts of systemd that are packages of their own. */
  readonly systemdPackages: { readonly resolved: boolean; readonly timesyncd: boolean }
  /** Where systemd-resolved's resolv.conf for programs without NSS is; the stub is of systemd 236. */
  readonly resolvConf: string
  /** sfdisk is in 'fdisk'; before, in util-linux. */
  readonly fdiskPackage: boolean
  /** What kernel and mkinitramfs both do fast. */
  readonly compressor: 'gzip' | 'zstd'
  /** ifupdown's DHCP client; undefined where ifupdown knows no patterns, so cannot be used for cards of unknown names. */
  readonly ifupdownDhcp: 'isc-dhcp-client' | 'dhcpcd-base' | undefined
  /** Ids of the network managers that it can have, its default first. */
  readonly networkManagers: readonly string[]
  /** e2fsck and resize2fs are of e2fsprogs 1.43 or later, and so take metadata_csum. */
  readonly metadataChecksums: boolean
  /** What a machine of metal gets besides the kernel. */
  readonly firmware: readonly Firmware[]
  /** libcrypt knows $y$ and $gy$. */
  readonly yescrypt: boolean
}

/** Oldest first. */
export const RELEASES: readonly Release[] = [
  {
    name: '9',
    version: [9],
    codename: 'stretch',
    archived: 'yes',
    systemdPackages: { resolved: false, timesyncd: false },
    resolvConf: '../run/systemd/resolve/resolv.conf',
    fdiskPackage: false,
    compressor: 'gzip',
    ifupdownDhcp: undefined,
    networkManagers: ['networkd', 'networkmanager'],
    metadataChecksums: true,
    firmware: debianFirmware('non-free'),
    yescrypt: false,
  },
  {
    name: '10',
    version: [10],
    codename: 'buster',
    archived: 'yes',
    systemdPackages: { resolved: false, timesyncd: false },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'gzip',
    ifupdownDhcp: 'isc-dhcp-client',
    networkManagers: ['networkd', 'ifupdown', 'networkmanager'],
    metadataChecksums: true,
    firmware: debianFirmware('non-free'),
    yescrypt: false,
  },
  {
    name: '11',
    version: [11],
    codename: 'bullseye',
    archived: 'perhaps',
    systemdPackages: { resolved: false, timesyncd: true },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'gzip', // the kernel could do zstd, but this mkinitramfs only at level 19
    ifupdownDhcp: 'isc-dhcp-client',
    networkManagers: ['networkd', 'ifupdown', 'networkmanager'],
    metadataChecksums: true,
    firmware: debianFirmware('non-free'),
    yescrypt: true,
  },
  {
    name: '12',
    version: [12],
    codename: 'bookworm',
    archived: 'no',
    systemdPackages: { resolved: true, timesyncd: true },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'zstd',
    ifupdownDhcp: 'isc-dhcp-client',
    networkManagers: ['networkd', 'ifupdown', 'networkmanager'],
    metadataChecksums: true,
    firmware: debianFirmware('non-free-firmware'),
    yescrypt: true,
  },
  {
    name: '13',
    version: [13],
    codename: 'trixie',
    archived: 'no',
    systemdPackages: { resolved: true, timesyncd: true },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'zstd',
    ifupdownDhcp: 'dhcpcd-base',
    networkManagers: ['networkd', 'ifupdown', 'networkmanager'],
    metadataChecksums: true,
    firmware: debianFirmware('non-free-firmware', SPLIT_IN_13),
    yescrypt: true,
  },
]

/** What holds for a version: its own release, or the newest for one that is newer or has no number (testing, sid). */
export function releaseOf(version: readonly number[] | undefined, releases: readonly Release[]): Release {
  const [newest] = releases.slice(-1)
  if (newest === undefined) throw new Error('a distro needs at least one release')
  if (version === undefined) return newest
  return releases.filter((release) => compareVersions(release.version, version) <= 0).at(-1) ?? newest
}

/** The number of the distro's release that an image is, or is built on; undefined for testing, sid and what nobody can tell. */
export async function releaseNumber(
  os: OsRelease,
  distance: number,
  rootfs: Rootfs,
  { releases, parentRelease }: Pick<DistroData, 'releases' | 'parentRelease'>,
): Promise<readonly number[] | undefined> {
  const byCodename = (codename: string | undefined) => releases.find((one) => one.codename === codename)?.version
  if (distance === 0) return parseVersion(os.versionId) ?? byCodename(os.fields.get('VERSION_CODENAME'))
  const named = byCodename(os.fields.get(parentRelease.field)) ?? byCodename(os.fields.get('VERSION_CODENAME'))
  if (named !== undefined || parentRelease.file === undefined) return named
  // '12.5', or 'trixie/sid'
  const text = (await readText(rootfs, parentRelease.file, 1024))?.trim() ?? ''
  const number = parseVersion(text)
  return number === undefined ? byCodename(text.split('/')[0]) : number.slice(0, 1)
}
