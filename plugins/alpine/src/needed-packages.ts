import { exists, hasTimezone } from '@c2m/linux'
import type { MachineTask } from '@c2m/plugin-api'
import { installedKernels } from './installed-kernels.js'
import type { Release } from './releases.js'

/**
 * A kernel's way to a login, and what checks and grows the root. 'cmd:' names what is needed by its program: which package
 * brings it has changed between releases.
 */
const BASE = ['busybox-suid', 'cmd:partx', 'cmd:resize2fs', 'cmd:sfdisk', 'e2fsprogs', 'mkinitfs', 'openrc']

export async function neededPackages(release: Release, task: MachineTask): Promise<readonly string[]> {
  const { machine, rootfs } = task
  const packages = [...BASE, ...release.serviceScripts, ...(await kernelPackages(task))]
  if (wantsSsh(task)) packages.push('openssh-server', 'openssh-sftp-server')
  if (machine.users.some(({ sudo }) => sudo)) packages.push(await rootProgram(release, task))
  if (machine.keyboard !== undefined) packages.push('kbd-bkeymaps')
  if (machine.timezone !== undefined && !(await hasTimezone(rootfs, machine.timezone))) packages.push('tzdata')
  return packages
}

export function wantsSsh({ machine }: Pick<MachineTask, 'machine'>): boolean {
  return machine.sshKeys.length > 0 || machine.users.some(({ sshKeys }) => sshKeys.length > 0)
}

/** An image's own sudo, or one that the user asks for, is what its users know. */
export async function rootProgram({ becomeRoot }: Release, { machine, rootfs }: MachineTask): Promise<'sudo' | 'doas'> {
  if (machine.packages.includes('sudo') || (await exists(rootfs, 'usr/bin/sudo'))) return 'sudo'
  return becomeRoot
}

/** None when the image has a kernel and the user named no flavour: then the image's is meant. */
async function kernelPackages({ machine, rootfs, traits }: MachineTask): Promise<readonly string[]> {
  if (machine.kernel === undefined && (await installedKernels(rootfs)).length > 0) return []
  const flavour =
    machine.kernel === undefined ? traits.kernels[0] : traits.kernels.find(({ id }) => id === machine.kernel)
  // 'linux-firmware' is all there is, gigabytes of it: who knows their hardware names parts of it
  const choosesFirmware = machine.packages.some(isFirmware)
  if (flavour !== undefined) return flavour.packages.filter((name) => !choosesFirmware || !isFirmware(name))
  throw new Error(
    `there is no kernel flavour '${machine.kernel}'; there are ${traits.kernels.map(({ id }) => id).join(', ')}`,
  )
}

function isFirmware(name: string): boolean {
  return name.startsWith('linux-firmware')
}
