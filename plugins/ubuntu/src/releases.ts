import type { Release } from '@c2m/plugin-debian'
import { compareVersions } from '@c2m/linux'
import { FIRMWARE } from './firmware.js'

type Place = Release['archived']

/**
 * Every second year's April release stays on the mirrors; the others move to the archive some time after their nine months,
 * so the newest ones perhaps have by now.
 */
const NAMES: readonly (readonly [name: string, codename: string, archived: Place])[] = [
  ['16.04', 'xenial', 'no'],
  ['16.10', 'yakkety', 'yes'],
  ['17.04', 'zesty', 'yes'],
  ['17.10', 'artful', 'yes'],
  ['18.04', 'bionic', 'no'],
  ['18.10', 'cosmic', 'yes'],
  ['19.04', 'disco', 'yes'],
  ['19.10', 'eoan', 'yes'],
  ['20.04', 'focal', 'no'],
  ['20.10', 'groovy', 'yes'],
  ['21.04', 'hirsute', 'yes'],
  ['21.10', 'impish', 'yes'],
  ['22.04', 'jammy', 'no'],
  ['22.10', 'kinetic', 'yes'],
  ['23.04', 'lunar', 'yes'],
  ['23.10', 'mantic', 'yes'],
  ['24.04', 'noble', 'no'],
  ['24.10', 'oracular', 'yes'],
  ['25.04', 'plucky', 'perhaps'],
  ['25.10', 'questing', 'perhaps'],
  ['26.04', 'resolute', 'no'],
]

/** Oldest first: the first one with systemd on. */
export const RELEASES: readonly Release[] = NAMES.map(([name, codename, archived]) => {
  const version = name.split('.').map(Number)
  return { name, version, codename, archived, ...differences((since) => compareVersions(version, since) >= 0) }
})

/** @param from whether the release is that one or a later one */
function differences(
  from: (version: readonly number[]) => boolean,
): Omit<Release, 'name' | 'version' | 'codename' | 'archived'> {
  return {
    systemdPackages: { resolved: from([22, 10]), timesyncd: from([20, 4]) },
    resolvConf: from([18, 4]) ? '../run/systemd/resolve/stub-resolv.conf' : '../run/systemd/resolve/resolv.conf',
    fdiskPackage: from([18, 4]),
    // mkinitramfs takes a level, and every kernel of the release reads zstd
    compressor: from([23, 4]) ? 'zstd' : 'gzip',
    ifupdownDhcp: from([25, 4]) ? 'dhcpcd-base' : from([20, 4]) ? 'isc-dhcp-client' : undefined,
    networkManagers: from([17, 10])
      ? ['netplan', 'networkd', 'networkmanager', ...(from([20, 4]) ? ['ifupdown'] : [])]
      : ['ifupdown', 'networkd', 'networkmanager'],
    metadataChecksums: from([16, 10]),
    firmware: FIRMWARE,
    yescrypt: from([20, 4]),
  }
}
