import type { C2mPlugin } from '@c2m/plugin-api'
import { extlinuxPackages } from './packages.js'
import { recognize } from './recognize.js'
import { installSteps } from './steps.js'
import { ARCHITECTURES, MENUS, supports, UNREADABLE_FEATURES } from './support.js'
import { TRACES } from './upkeep.js'

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-extlinux',
  apiVersion: 1,
  contributes: [
    {
      kind: 'bootloader',
      id: 'extlinux',
      summary: 'EXTLINUX (SYSLINUX) for BIOS, on GPT and MBR disks',
      firmware: ['bios'],
      architectures: ARCHITECTURES,
      supports,
      partitions: () => [],
      packages: ({ packageManager }) => extlinuxPackages(packageManager) ?? [],
      unreadableExt4Features: UNREADABLE_FEATURES,
      menus: MENUS,
      traces: TRACES,
      recognize,
      install: installSteps,
    },
  ],
}

export default plugin
