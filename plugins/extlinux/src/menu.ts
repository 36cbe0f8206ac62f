import type { DiskPlan, InstalledKernel, PlannedPartition } from '@c2m/plugin-api'
import { serialDirective, withConsoles } from './console.js'
import { extlinuxError } from './error.js'
import { home, locate } from './location.js'

export interface Menu {
  readonly disk: DiskPlan
  readonly osName: string
  /** Newest first. */
  readonly kernels: readonly InstalledKernel[]
  /** Without root=. */
  readonly cmdline: readonly string[]
  /** In the kernel's syntax; the last one gets /dev/console. */
  readonly consoles: readonly string[]
  /** Seconds. */
  readonly timeout: number
  /** What keeps the entries up to date, in words; undefined when nothing needs to. */
  readonly keeper: string | undefined
}

/** Above it are settings, below it the entries. */
export const MARK = '# Kernels, newest first:'

/** Tenths of a second (SYSLINUX manual, "TIMEOUT"); 0 would wait for ever. */
const TIMEOUT_RANGE = [1, 35996] as const

/** C0 and C1 control characters and lone surrogates: what no line of a configuration file can carry. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cs}]/u

/** A path that ends neither at a space nor at what has a meaning for SYSLINUX: ':' of a server, ',' between initrds. */
const PLAIN_PATH = /^[A-Za-z0-9_./+~@%=-]+$/

/**
 * extlinux.conf (SYSLINUX manual, "Configuration"): settings, and one entry for each kernel; the first is the default. The
 * kernel's command line is a setting, and serves all of them.
 *
 * @throws C2M_EXTLINUX_NO_KERNEL, C2M_EXTLINUX_CMDLINE, C2M_EXTLINUX_NO_ROOT, C2M_EXTLINUX_NO_UUID
 */
export function menuText(menu: Menu): string {
  const kernels = menu.kernels.filter((kernel) => isBootable(kernel, menu.disk))
  if (kernels.length === 0) {
    throw extlinuxError(
      'C2M_EXTLINUX_NO_KERNEL',
      'EXTLINUX has nothing to boot: no kernel was found in its file system',
      'see in the package step (--verbose) whether a kernel was installed into /boot, or name one with --kernel',
    )
  }
  const words = ['ro', ...withConsoles(menu.cmdline, menu.consoles)].filter((word) => word !== '').map(kernelWord)
  const root = locate(menu.disk, '/').partition
  const append = (rootWord: string) => `APPEND ${[rootWord, ...words].join(' ')}`
  const serial = serialDirective(menu.consoles)
  return lines([
    ...(serial === undefined ? [] : [serial]),
    '# Written by c2m.',
    ...(menu.keeper === undefined ? [] : [`# What follows the word "Kernels" is written anew by ${menu.keeper}.`]),
    'UI menu.c32',
    'PROMPT 0',
    `TIMEOUT ${tenths(menu.timeout)}`,
    `MENU TITLE ${menuTitle(menu.osName)}`,
    append(`root=UUID=${fileSystemUuid(root)}`),
    '',
    MARK,
    ...kernels.flatMap((kernel) => [
      '',
      `LABEL ${kernel.version.replace(/[^A-Za-z0-9_.+~-]/g, '_')}`,
      `  MENU LABEL Linux ${menuTitle(kernel.version)}`,
      `  LINUX ${locate(menu.disk, kernel.kernel).path}`,
      ...(kernel.initrd === undefined
        ? // the kernel alone knows partitions, not what is in them
          [`  ${append(`root=PARTUUID=${root.partuuid}`)}`]
        : [`  INITRD ${locate(menu.disk, kernel.initrd).path}`]),
    ]),
  ])
}

/** EXTLINUX reads its own file system only, and names on one line only. */
export function isBootable({ version, kernel, initrd }: InstalledKernel, disk: DiskPlan): boolean {
  const { partition } = home(disk)
  const reachable = (path: string) => PLAIN_PATH.test(path) && locate(disk, path).partition === partition
  return (
    !UNPRINTABLE.test(version) && version !== '' && reachable(kernel) && (initrd === undefined || reachable(initrd))
  )
}

/** For the screen of a BIOS: ASCII, and without what marks a hot key. */
export function menuTitle(name: string): string {
  const title = name
    .replace(/[^\x20-\x7e]/gu, ' ')
    .replaceAll('^', '')
    .replace(/ +/g, ' ')
    .trim()
  return title === '' ? 'Linux' : title.slice(0, 76)
}

function kernelWord(word: string): string {
  if (!UNPRINTABLE.test(word)) return word
  throw extlinuxError(
    'C2M_EXTLINUX_CMDLINE',
    `the word ${JSON.stringify(word)} of the kernel command line cannot be written to a line of EXTLINUX's menu`,
    'leave out control characters and line ends',
    2,
  )
}

function fileSystemUuid({ uuid, number, role }: PlannedPartition): string {
  if (uuid !== undefined && /^[0-9A-Fa-f-]{4,64}$/.test(uuid)) return uuid
  throw extlinuxError(
    'C2M_EXTLINUX_NO_UUID',
    `partition ${number} (${role}) has no usable file system UUID: ${JSON.stringify(uuid)}`,
    'the kernel finds its root by UUID; give that partition a file system with one',
  )
}

function tenths(seconds: number): number {
  const [least, most] = TIMEOUT_RANGE
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.round(seconds * 10), least), most) : 50
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
