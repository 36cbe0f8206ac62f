import { DISK_COMMANDS, MENUS, recognizeEfi, TRACES } from '@c2m/grub'
import type { C2mPlugin } from '@c2m/plugin-api'
import { ARCHITECTURES } from './machine.js'
import { grubPackages } from './packages.js'
import { installSteps } from './steps.js'
import { partitions, supports } from './support.js'

export const plugin: C2mPlugin = {
  name: '@c2m/plugin-grub-efi',
  apiVersion: 1,
  contributes: [
    {
      kind: 'bootloader',
      id: 'grub-efi',
      summary: 'GRUB 2 for UEFI, without Secure Boot',
      family: 'grub',
      firmware: ['uefi'],
      architectures: ARCHITECTURES,
      supports,
      partitions,
      packages: (question) => grubPackages(question) ?? [],
      diskCommands: DISK_COMMANDS,
      menus: MENUS,
      traces: TRACES,
      recognize: recognizeEfi,
      install: installSteps,
    },
  ],
}

export default plugin
