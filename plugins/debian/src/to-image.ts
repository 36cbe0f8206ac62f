import { linuxFindings } from '@c2m/linux'
import type { ImageTask, MachineFindings } from '@c2m/plugin-api'
import type { DistroData } from './distro.js'
import { APT_CLEANING } from './image/cleaning.js'
import { packageFiles } from './image/package-files.js'

/** What any Linux tells, and what dpkg, apt and initramfs-tools add to it. */
export async function toImage({ cleaning = [] }: DistroData, task: ImageTask): Promise<MachineFindings> {
  const common = await linuxFindings(task)
  return {
    ...common,
    cleaning: [...common.cleaning, ...APT_CLEANING, ...cleaning],
    packageFiles: () => packageFiles(task.rootfs, (message) => task.warn(message)),
  }
}
