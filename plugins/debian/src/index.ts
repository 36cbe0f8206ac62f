import type { C2mPlugin } from '@c2m/plugin-api'
import { IFUPDOWN, NETWORK_MANAGER, NETWORKD } from './configure/network-managers.js'
import { distroPlugin, type DistroData } from './distro.js'
import { DEBIAN_ARCHIVE } from './install/archive.js'
import { KERNELS } from './kernel-flavours.js'
import { RELEASES } from './releases.js'

export { undivert } from './configure/diversions.js'
export * from './configure/network-managers.js'
export { distroPlugin, type DistroData } from './distro.js'
export type { Firmware } from './firmware.js'
export { useArchive, type Archive } from './install/archive.js'
export type { KernelData, KernelTable } from './kernel-flavours.js'
export type { Release } from './releases.js'

const debian: DistroData = {
  id: 'debian',
  name: 'Debian',
  summary: 'Debian 9 to 13, testing, and distributions that are like it',
  strangers: ['devuan'],
  releases: RELEASES,
  kernels: () => KERNELS,
  networkManagers: { networkd: NETWORKD, ifupdown: IFUPDOWN, networkmanager: NETWORK_MANAGER },
  archive: DEBIAN_ARCHIVE,
  parentRelease: { field: 'DEBIAN_CODENAME', file: 'etc/debian_version' },
}

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-debian',
  apiVersion: 1,
  contributes: [distroPlugin(debian)],
}

export default plugin
