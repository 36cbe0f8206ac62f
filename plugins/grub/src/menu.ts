import type { DiskPlan, InstalledKernel } from '@c2m/plugin-api'
import { serialCommand, type SerialPort, withConsoles } from './console.js'
import { grubError } from './error.js'
import { fileSystemUuid, locate } from './location.js'
import { GRUB_FOLDER } from './platform.js'
import { isPrintable, kernelArguments, menuTitle, quote, quoteWord } from './quoting.js'

export interface Menu {
  readonly disk: DiskPlan
  readonly osName: string
  /** Newest first. */
  readonly kernels: readonly InstalledKernel[]
  /** Without root=. */
  readonly cmdline: readonly string[]
  /** In the kernel's syntax; the last one gets /dev/console. */
  readonly consoles: readonly string[]
  readonly serial: SerialPort | undefined
  /** Seconds. */
  readonly timeout: number
}

/**
 * /boot/grub/grub.cfg: one entry for each kernel, newest first and each the fallback of the one before; a submenu with
 * recovery modes. The guest's update-grub may replace it at any time.
 *
 * @throws C2M_GRUB_NO_KERNEL, C2M_GRUB_CMDLINE, C2M_GRUB_NO_ROOT, C2M_GRUB_NO_UUID
 */
export function menuText(menu: Menu): string {
  const kernels = menu.kernels.filter(isBootable)
  if (kernels.length === 0) {
    throw grubError(
      'C2M_GRUB_NO_KERNEL',
      'GRUB has nothing to boot: no kernel was found in the tree',
      'see in the package step (--verbose) whether a kernel was installed, or name one with --kernel',
    )
  }
  const os = menuTitle(menu.osName)
  const titled = kernels.map((kernel, index) => ({ kernel, title: index === 0 ? os : versionTitle(os, kernel) }))
  return lines([
    '# Written by c2m. `update-grub` writes it anew, from /etc/default/grub and /etc/grub.d.',
    ...defaultEntry(kernels.length),
    'set timeout_style=menu',
    `set timeout=${wholeSeconds(menu.timeout)}`,
    ...terminal(menu.serial),
    'if [ "$grub_platform" = efi ]; then',
    '  insmod all_video',
    'fi',
    ...titled.flatMap(({ kernel, title }) => entry(menu, kernel, title, [])),
    `submenu ${quote(`Advanced options for ${os}`)} {`,
    ...kernels
      .flatMap((kernel) => [
        ...entry(menu, kernel, versionTitle(os, kernel), []),
        ...entry(menu, kernel, `${versionTitle(os, kernel)} (recovery mode)`, ['single']),
      ])
      .map(indent),
    '}',
    'if [ "$grub_platform" = efi ]; then',
    "  menuentry 'UEFI Firmware Settings' {",
    '    fwsetup',
    '  }',
    'fi',
  ])
}

/** A configuration beside an EFI program: finds the real one, on the disk that was booted when it can. */
export function redirectText(disk: DiskPlan): string {
  const { partition, path } = locate(disk, GRUB_FOLDER)
  return lines([
    '# Written by c2m: the menu is in the file system of the machine.',
    ...search(fileSystemUuid(partition)),
    `set prefix=($root)${quoteWord(path)}`,
    'configfile $prefix/grub.cfg',
  ])
}

/** Names that GRUB's configuration cannot carry are no kernels of ours. */
export function isBootable({ version, kernel, initrd }: InstalledKernel): boolean {
  return [version, kernel, initrd ?? ''].every(isPrintable)
}

/** UUIDs repeat when a disk was copied, so the disk that was booted is searched first. */
function search(uuid: string): readonly string[] {
  return [`regexp --set=1:disk '^([^,]+)' "$root"`, `search --no-floppy --fs-uuid --set=root --hint="$disk," ${uuid}`]
}

/** The entry that `grub-reboot` asked for, once; else the first, and the next one when that cannot be loaded. */
function defaultEntry(kernels: number): readonly string[] {
  return [
    'if [ -s $prefix/grubenv ]; then',
    '  load_env',
    'fi',
    'set default=0',
    'if [ -n "$next_entry" ]; then',
    '  set default="$next_entry"',
    '  set next_entry=',
    '  save_env next_entry',
    'fi',
    ...(kernels > 1
      ? [`set fallback="${Array.from({ length: kernels - 1 }, (_, index) => index + 1).join(' ')}"`]
      : []),
  ]
}

/** UEFI firmware shows its console on the serial line by itself; a BIOS does not, and may have no serial port at all. */
function terminal(serial: SerialPort | undefined): readonly string[] {
  if (serial === undefined) return []
  return [
    'if [ "$grub_platform" = pc ]; then',
    `  if ${serialCommand(serial)}; then`,
    '    terminal_input console serial',
    '    terminal_output console serial',
    '  fi',
    'fi',
  ]
}

function entry(menu: Menu, kernel: InstalledKernel, title: string, mode: readonly string[]): readonly string[] {
  const image = locate(menu.disk, kernel.kernel)
  const initrd = kernel.initrd === undefined ? undefined : locate(menu.disk, kernel.initrd)
  const words = ['ro', ...mode, ...withConsoles(menu.cmdline, menu.consoles)]
  return [
    `menuentry ${quote(title)} {`,
    ...search(fileSystemUuid(image.partition)).map(indent),
    `  echo ${quote(`Loading Linux ${kernel.version} ...`)}`,
    `  linux ${quoteWord(image.path)} ${rootArgument(menu.disk, initrd !== undefined)} ${kernelArguments(words)}`,
    ...(initrd === undefined ? [] : [`  initrd ${quoteWord(initrd.path)}`]),
    '}',
  ]
}

/** The kernel alone knows partitions by PARTUUID only; an initrd knows file systems, which survive repartitioning. */
function rootArgument(disk: DiskPlan, hasInitrd: boolean): string {
  const { partition } = locate(disk, '/')
  return hasInitrd ? `root=UUID=${fileSystemUuid(partition)}` : `root=PARTUUID=${quoteWord(partition.partuuid)}`
}

function versionTitle(os: string, kernel: InstalledKernel): string {
  return `${os}, with Linux ${menuTitle(kernel.version)}`
}

export function wholeSeconds(timeout: number): number {
  return Number.isFinite(timeout) ? Math.min(Math.max(Math.round(timeout), 0), 86_400) : 5
}

function indent(line: string): string {
  return `  ${line}`
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
