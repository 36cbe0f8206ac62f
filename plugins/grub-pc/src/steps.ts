import type { BootTask, Step, StepContext } from '@c2m/plugin-api'
import {
  answerDebconf,
  copyModules,
  familySteps,
  installedFolder,
  makeImage,
  prefixOnBootDisk,
  requireFile,
} from '@c2m/grub'
import { bootCode, coreImage, MAX_CORE, SECTOR } from './boot-code.js'
import { DEBCONF_ANSWERS } from './packages.js'
import { placeCore } from './placement.js'

const FOLDER = installedFolder('i386-pc')

/** @throws C2M_GRUB_NO_ROOT, C2M_GRUB_NO_BIOS_BOOT, C2M_GRUB_CMDLINE */
export function installSteps(task: BootTask): readonly Step[] {
  const { partition } = placeCore(task.disk)
  return [
    copyModules('grub-pc/modules', 'i386-pc'),
    makeImage('grub-pc/core', {
      platform: 'i386-pc',
      output: `${FOLDER}/core.img`,
      prefix: prefixOnBootDisk(task.disk),
    }),
    ...(task.packageManager === 'apt' ? [answerDebconf('grub-pc/debconf', DEBCONF_ANSWERS)] : []),
    ...familySteps('grub-pc', task),
    {
      id: 'grub-pc/boot-sector',
      title: "write GRUB's boot code to the first sector",
      phase: 'assemble',
      do: 'writeBlocks',
      where: { offset: 0 },
      bytes: bootSector,
    },
    {
      id: 'grub-pc/core-sectors',
      title:
        partition === undefined ? "write GRUB's core image after the MBR" : "write GRUB's core image to its partition",
      phase: 'assemble',
      do: 'writeBlocks',
      where: partition === undefined ? { offset: SECTOR } : { partition, offset: 0 },
      bytes: coreSectors,
    },
  ]
}

async function bootSector({ rootfs, disk }: StepContext): Promise<Uint8Array> {
  return bootCode(await requireFile(rootfs, `${FOLDER}/boot.img`, SECTOR), placeCore(disk).lba)
}

async function coreSectors({ rootfs, disk }: StepContext): Promise<Uint8Array> {
  const { lba, room } = placeCore(disk)
  return coreImage(await requireFile(rootfs, `${FOLDER}/core.img`, MAX_CORE), lba, room)
}
