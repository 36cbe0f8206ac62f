import type { C2mPlugin } from '@c2m/plugin-api'
import { distroPlugin, type DistroData } from './distro.js'
import { KERNELS } from './kernel-flavours.js'
import { RELEASES } from './releases.js'

export { distroPlugin, type DistroData } from './distro.js'
export type { Release } from './releases.js'

const debian: DistroData = {
  id: 'debian',
  name: 'Debian',
  summary: 'Debian 9 to 13, testing, and distributions that are like it',
  strangers: ['ubuntu', 'devuan'],
  releases: RELEASES,
  kernels: KERNELS,
}

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-debian',
  apiVersion: 1,
  contributes: [distroPlugin(debian)],
}

export default plugin
