import { DISK_COMMANDS, MENUS, recognizeBootSector, TRACES } from '@c2m/grub'
import type { C2mPlugin } from '@c2m/plugin-api'
import { grubPackages } from './packages.js'
import { installSteps } from './steps.js'
import { ARCHITECTURES, partitions, supports } from './support.js'

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-grub-pc',
  apiVersion: 1,
  contributes: [
    {
      kind: 'bootloader',
      id: 'grub-pc',
      summary: 'GRUB 2 for BIOS, on GPT and MBR disks',
      family: 'grub',
      firmware: ['bios'],
      architectures: ARCHITECTURES,
      supports,
      partitions,
      packages: ({ packageManager }) => grubPackages(packageManager) ?? [],
      diskCommands: DISK_COMMANDS,
      menus: MENUS,
      traces: TRACES,
      recognize: recognizeBootSector,
      install: installSteps,
    },
  ],
}

export default plugin
