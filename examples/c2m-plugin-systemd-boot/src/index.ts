import type { C2mPlugin } from '@c2m/plugin-api'
import { recognize } from './recognize.js'
import { installSteps } from './steps.js'
import { ARCHITECTURES, packages, partitions, supports } from './support.js'
import { COMMAND_LINE, TRACES } from './upkeep.js'

export const plugin: C2mPlugin = {
  name: 'c2m-plugin-systemd-boot',
  apiVersion: 1,
  contributes: [
    {
      kind: 'bootloader',
      id: 'systemd-boot',
      summary: 'systemd-boot for UEFI, on GPT disks, without Secure Boot',
      firmware: ['uefi'],
      architectures: ARCHITECTURES,
      supports,
      partitions,
      packages,
      menus: [COMMAND_LINE.slice(1)],
      traces: TRACES,
      recognize,
      install: installSteps,
    },
  ],
}

export default plugin
