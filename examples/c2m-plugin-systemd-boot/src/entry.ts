import type { BootTask, DiskPlan, InstalledKernel } from '@c2m/plugin-api'
import { systemdBootError } from './error.js'

/** What FAT holds, and what needs no quoting in a shell. */
const PLAIN_VERSION = /^[A-Za-z0-9_+~-](?:[A-Za-z0-9_.+~-]{0,126}[A-Za-z0-9_+~-])?$/

/** C0 and C1 control characters and lone surrogates: what no line of a configuration file can carry. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cs}]/u

/** The folder of the machine's kernels on the ESP, and what names of its entries begin with: os-release(5)'s ID if it may. */
export function tokenOf(osId: string): string {
  return /^[a-z0-9][a-z0-9_-]{0,31}$/.test(osId) && !['efi', 'loader'].includes(osId) ? osId : 'linux'
}

export function isBootable({ version }: InstalledKernel): boolean {
  return PLAIN_VERSION.test(version)
}

/**
 * The kernel's command line, on one line. One line serves all kernels, so the root is named in the way that a kernel
 * without initrd knows too.
 *
 * @throws C2M_SYSTEMD_BOOT_CMDLINE, C2M_SYSTEMD_BOOT_NO_ROOT
 */
export function commandLine({ disk, cmdline, consoles }: Pick<BootTask, 'disk' | 'cmdline' | 'consoles'>): string {
  const given = consoles.map((console) => `console=${console}`)
  const words = [`root=PARTUUID=${rootOf(disk)}`, 'ro', ...cmdline.filter((word) => !given.includes(word)), ...given]
  for (const word of words) {
    if (!UNPRINTABLE.test(word)) continue
    throw systemdBootError(
      'C2M_SYSTEMD_BOOT_CMDLINE',
      `the word ${JSON.stringify(word)} of the kernel command line cannot be written to a line of a menu entry`,
      'leave out control characters and line ends',
      2,
    )
  }
  return words.filter((word) => word !== '').join(' ')
}

function rootOf({ partitions }: DiskPlan): string {
  const root = partitions.find(({ mountpoint, role }) => (mountpoint ?? (role === 'root' ? '/' : '')) === '/')
  if (root !== undefined) return root.partuuid
  throw systemdBootError(
    'C2M_SYSTEMD_BOOT_NO_ROOT',
    'no partition of the disk holds /',
    'plan a partition that is mounted at /',
  )
}

export function titleOf(osName: string): string {
  const title = osName.replace(new RegExp(UNPRINTABLE, 'gu'), ' ').trim().slice(0, 76)
  return title === '' ? 'Linux' : title
}

/** loader.conf(5). The firmware's console is the menu's, on the screen and on the serial port if it has one there. */
export function loaderText(timeout: number): string {
  const seconds = Number.isFinite(timeout) ? Math.min(Math.max(Math.round(timeout), 0), 86_400) : 5
  return `# Written by c2m: see loader.conf(5).\ntimeout ${seconds}\nconsole-mode keep\n`
}

export interface Entry {
  readonly token: string
  readonly title: string
  readonly version: string
  readonly hasInitrd: boolean
  readonly options: string
}

/** A type #1 entry (Boot Loader Specification). Entries with one sort-key are shown by version, newest first. */
export function entryText({ token, title, version, hasInitrd, options }: Entry): string {
  const folder = `/${token}/${version}`
  const lines = [
    `title ${title}`,
    `version ${version}`,
    `sort-key ${token}`,
    `linux ${folder}/linux`,
    ...(hasInitrd ? [`initrd ${folder}/initrd`] : []),
    `options ${options}`,
  ]
  return `${lines.join('\n')}\n`
}
