import { hasTimezone, parseLocale } from '@c2m/linux'
import type { MachineTask } from '@c2m/plugin-api'
import type { DistroData } from './distro.js'
import { firmwarePackages } from './firmware.js'
import { installedKernels } from './installed-kernels.js'
import { networkPackages } from './configure/network.js'
import type { Release } from './releases.js'

/** A kernel's way to a login: init, device nodes, modules, addresses, accounts, checking and growing the root. */
const BASE = [
  'dbus',
  'e2fsprogs',
  'initramfs-tools',
  'iproute2',
  'kmod',
  'libpam-systemd',
  'login',
  'mount',
  'passwd',
  'systemd-sysv',
  'udev',
  'util-linux',
]

/** Programs that keep the clock; timesyncd conflicts with them. */
const TIME_KEEPERS = ['usr/sbin/chronyd', 'usr/sbin/ntpd', 'usr/sbin/ntpsec', 'usr/sbin/openntpd']

export async function neededPackages(
  data: DistroData,
  release: Release,
  task: MachineTask,
): Promise<readonly string[]> {
  const { machine, rootfs } = task
  const packages = [...BASE, ...(await kernelPackages(task)), ...networkPackages(data, release, task)]
  packages.push(...(await firmwarePackages(release, task)))
  if (release.fdiskPackage) packages.push('fdisk')
  if (release.compressor !== 'gzip') packages.push(release.compressor)
  if (release.systemdPackages.timesyncd && !(await hasAny(task, TIME_KEEPERS))) packages.push('systemd-timesyncd')
  if (wantsSsh(task)) packages.push('openssh-server')
  if (machine.users.some(({ sudo }) => sudo)) packages.push('sudo')
  if (machine.locale !== undefined && !parseLocale(machine.locale).builtIn) packages.push('locales')
  if (machine.keyboard !== undefined) packages.push('console-setup', 'keyboard-configuration')
  if (machine.timezone !== undefined && !(await hasTimezone(rootfs, machine.timezone))) packages.push('tzdata')
  return packages
}

export function wantsSsh({ machine }: Pick<MachineTask, 'machine'>): boolean {
  return machine.sshKeys.length > 0 || machine.users.some(({ sshKeys }) => sshKeys.length > 0)
}

/** None when the image has a kernel and the user named no flavour: then the image's is meant. */
async function kernelPackages({ machine, rootfs, traits }: MachineTask): Promise<readonly string[]> {
  if (machine.kernel === undefined && (await installedKernels(rootfs)).length > 0) return []
  const flavour =
    machine.kernel === undefined ? traits.kernels[0] : traits.kernels.find(({ id }) => id === machine.kernel)
  if (flavour !== undefined) return flavour.packages
  throw new Error(
    `there is no kernel flavour '${machine.kernel}'; there are ${traits.kernels.map(({ id }) => id).join(', ')}`,
  )
}

async function hasAny({ rootfs }: MachineTask, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await rootfs.resolve(path)) !== undefined) return true
  return false
}
