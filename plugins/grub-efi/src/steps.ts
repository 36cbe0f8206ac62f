import type { BootTask, ExecStep, Step, WriteStep } from '@c2m/plugin-api'
import { answerDebconf, copyModules, familySteps, grubError, makeImage, redirectText } from '@c2m/grub'
import { ARCHITECTURES, machineOf, type Machine } from './machine.js'
import { debconfAnswers } from './packages.js'
import { ESP } from './support.js'

/**
 * The program is built twice: firmware starts EFI/BOOT on any machine, and EFI/<os> is where grub-install and boot
 * entries expect it. Each looks for a grub.cfg in its own folder, on the partition it was loaded from; that file alone
 * knows the machine's UUIDs, so the programs can be cached.
 *
 * @throws C2M_GRUB_ARCHITECTURE, C2M_GRUB_NO_ESP, C2M_GRUB_NO_ROOT, C2M_GRUB_CMDLINE
 */
export function installSteps(task: BootTask): readonly Step[] {
  const machine = requireMachine(task.architecture)
  requireEsp(task)
  const os = osFolder(task.osId)
  const standalone = task.packageManager === 'apt' && !task.members.includes('grub-pc')
  return [
    copyModules('grub-efi/modules', machine.platform),
    folders(os),
    program('grub-efi/removable', machine, 'BOOT', machine.removableName),
    program('grub-efi/installed', machine, os, machine.installedName),
    ...(standalone ? [answerDebconf('grub-efi/debconf', debconfAnswers(machine))] : []),
    ...familySteps('grub-efi', task),
    redirect('grub-efi/removable-configuration', 'BOOT'),
    redirect('grub-efi/installed-configuration', os),
  ]
}

/** A name for a folder on FAT beside EFI/BOOT: os-release(5)'s ID when it is well-formed. */
export function osFolder(osId: string): string {
  return /^[a-z0-9][a-z0-9_-]{0,31}$/.test(osId) && osId !== 'boot' ? osId : 'linux'
}

function folders(os: string): ExecStep {
  return {
    id: 'grub-efi/folders',
    title: `make the folders BOOT and ${os} in the EFI system partition`,
    phase: 'packages',
    do: 'exec',
    argv: ['mkdir', '-p', `${ESP}/EFI/BOOT`, `${ESP}/EFI/${os}`],
  }
}

function program(id: string, { platform }: Machine, folder: string, name: string): ExecStep {
  return makeImage(id, { platform, output: `${ESP}/EFI/${folder}/${name}`, prefix: `/EFI/${folder}` })
}

function redirect(id: string, folder: string): WriteStep {
  return {
    id,
    title: `point the GRUB in EFI/${folder} to the machine's menu`,
    phase: 'boot',
    do: 'write',
    path: `${ESP}/EFI/${folder}/grub.cfg`,
    content: ({ disk }) => redirectText(disk),
    mode: 0o644,
  }
}

function requireMachine(architecture: string): Machine {
  const machine = machineOf(architecture)
  if (machine !== undefined) return machine
  throw grubError(
    'C2M_GRUB_ARCHITECTURE',
    `GRUB's EFI program for ${JSON.stringify(architecture)} is not known`,
    `the architectures are ${ARCHITECTURES.join(', ')}`,
    2,
  )
}

function requireEsp({ disk }: BootTask): void {
  if (disk.partitions.some(({ role, mountpoint }) => role === 'esp' && mountpoint === ESP)) return
  throw grubError(
    'C2M_GRUB_NO_ESP',
    'the disk has no EFI system partition for GRUB',
    `plan one that is mounted at ${ESP}`,
  )
}
