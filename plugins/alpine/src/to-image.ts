import { linuxFindings } from '@c2m/linux'
import type { ImageTask, MachineFindings } from '@c2m/plugin-api'
import { ALPINE_CLEANING } from './image/cleaning.js'
import { packageFiles } from './image/package-files.js'

/** What any Linux tells, and what apk, OpenRC's runlevels and mkinitfs add to it. */
export async function toImage(task: ImageTask): Promise<MachineFindings> {
  const common = await linuxFindings(task)
  return {
    ...common,
    cleaning: [...common.cleaning, ...ALPINE_CLEANING],
    packageFiles: () => packageFiles(task.rootfs, (message) => task.warn(message)),
  }
}
