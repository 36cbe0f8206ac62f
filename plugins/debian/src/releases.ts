import { compareVersions, parseVersion, readText } from '@c2m/linux'
import type { OsRelease, Rootfs } from '@c2m/plugin-api'

/** What differs between Debian's releases, as far as making a machine is concerned. */
export interface Release {
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
  /** libcrypt knows $y$ and $gy$. */
  readonly yescrypt: boolean
}

/** Oldest first. */
export const RELEASES: readonly Release[] = [
  {
    version: [9],
    codename: 'stretch',
    archived: 'yes',
    systemdPackages: { resolved: false, timesyncd: false },
    resolvConf: '../run/systemd/resolve/resolv.conf',
    fdiskPackage: false,
    compressor: 'gzip',
    ifupdownDhcp: undefined,
    yescrypt: false,
  },
  {
    version: [10],
    codename: 'buster',
    archived: 'yes',
    systemdPackages: { resolved: false, timesyncd: false },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'gzip',
    ifupdownDhcp: 'isc-dhcp-client',
    yescrypt: false,
  },
  {
    version: [11],
    codename: 'bullseye',
    archived: 'perhaps',
    systemdPackages: { resolved: false, timesyncd: true },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'gzip', // the kernel could do zstd, but this mkinitramfs only at level 19
    ifupdownDhcp: 'isc-dhcp-client',
    yescrypt: true,
  },
  {
    version: [12],
    codename: 'bookworm',
    archived: 'no',
    systemdPackages: { resolved: true, timesyncd: true },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'zstd',
    ifupdownDhcp: 'isc-dhcp-client',
    yescrypt: true,
  },
  {
    version: [13],
    codename: 'trixie',
    archived: 'no',
    systemdPackages: { resolved: true, timesyncd: true },
    resolvConf: '../run/systemd/resolve/stub-resolv.conf',
    fdiskPackage: true,
    compressor: 'zstd',
    ifupdownDhcp: 'dhcpcd-base',
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
  releases: readonly Release[],
): Promise<readonly number[] | undefined> {
  const byCodename = (codename: string | undefined) => releases.find((one) => one.codename === codename)?.version
  if (distance === 0) return parseVersion(os.versionId) ?? byCodename(os.fields.get('VERSION_CODENAME'))
  const named = byCodename(os.fields.get('DEBIAN_CODENAME')) ?? byCodename(os.fields.get('VERSION_CODENAME'))
  if (named !== undefined) return named
  // '12.5', or 'trixie/sid'
  const text = (await readText(rootfs, 'etc/debian_version', 1024))?.trim() ?? ''
  const number = parseVersion(text)
  return number === undefined ? byCodename(text.split('/')[0]) : number.slice(0, 1)
}
