import type { C2mPlugin, DistroTraits } from '@c2m/plugin-api'
import { detect } from './detect.js'
import { kernels } from './kernel.js'
import { toMachine } from './machine.js'

const TRAITS: DistroTraits = {
  init: 'busybox',
  packageManager: 'none',
  kernels: [],
  takesKernel: true,
  bootloaders: ['extlinux'],
  ext4Features: ['has_journal', 'ext_attr', 'dir_index', 'filetype', 'extent', 'flex_bg', 'sparse_super', 'large_file'],
  packageCaches: [],
}

export const plugin: C2mPlugin = {
  name: 'c2m-plugin-busybox',
  apiVersion: 1,
  contributes: [
    {
      kind: 'distro',
      id: 'busybox',
      summary: 'the BusyBox image, with a kernel that you give',
      detect,
      traits: () => TRAITS,
      toMachine,
      install: (packages) => {
        if (packages.length === 0) return []
        throw new Error(`BusyBox has no package manager that could install ${packages.join(', ')}`)
      },
      kernels,
    },
  ],
}

export default plugin
