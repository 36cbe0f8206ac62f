import type { C2mPlugin } from '@c2m/plugin-api'
import { distroPlugin, type DistroData } from './distro.js'
import { KERNELS } from './kernel-flavours.js'
import { RELEASES } from './releases.js'

export { distroPlugin, type DistroData } from './distro.js'
export type { Release } from './releases.js'

const alpine: DistroData = {
  id: 'alpine',
  name: 'Alpine Linux',
  summary: 'Alpine Linux from 3.9 on, edge, and distributions that are like it',
  // another init, another device manager
  strangers: ['postmarketos', 'chimera'],
  releases: RELEASES,
  kernels: KERNELS,
}

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-alpine',
  apiVersion: 1,
  contributes: [distroPlugin(alpine)],
}

export default plugin
