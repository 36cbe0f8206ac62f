import type { C2mPlugin } from '@c2m/plugin-api'
import { distroPlugin, type DistroData } from '@c2m/plugin-debian'
import { minimisedSteps } from './configure/minimised.js'
import { NETWORK_MANAGERS } from './configure/network-managers.js'
import { snapSteps } from './configure/snaps.js'
import { CLEANING } from './image/cleaning.js'
import { ARCHIVE } from './install/archive.js'
import { kernels } from './kernels.js'
import { RELEASES } from './releases.js'

const ubuntu: DistroData = {
  id: 'ubuntu',
  name: 'Ubuntu',
  summary: 'Ubuntu from 16.04 on, and distributions that are like it',
  strangers: [],
  releases: RELEASES,
  kernels,
  networkManagers: NETWORK_MANAGERS,
  archive: ARCHIVE,
  parentRelease: { field: 'UBUNTU_CODENAME' },
  steps: async (owner, _release, task) => [...(await minimisedSteps(owner, task)), ...snapSteps(owner)],
  cleaning: CLEANING,
}

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-ubuntu',
  apiVersion: 1,
  contributes: [distroPlugin(ubuntu)],
}

export default plugin
