import { parseLocale, relativePath } from '@c2m/linux'
import type { ExecStep, MachineTask, Step, TemporaryFileStep } from '@c2m/plugin-api'
import { CONTAINER_SETTINGS } from '../configure/leftovers.js'
import type { Release } from '../releases.js'
import { APT_SETTINGS, PATH } from './apt-settings.js'
import { damagedPackages } from './damaged-packages.js'
import { DOWNLOAD_AND_INSTALL } from './download-script.js'
import { INITRAMFS_SETTINGS_PATH, initramfsSettings } from './initramfs-settings.js'
import { CLEAN_UP, MAKE_INITRAMFS, MAKE_LOCALE } from './scripts.js'

/** The same for all commands: no questions, no services, no colours, English messages. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH,
  HOME: '/root',
  TERM: 'dumb',
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  SYSTEMD_OFFLINE: '1',
}

/** Written to by apt, dpkg and update-alternatives; what the image had there is there again afterwards. */
const LOGS = [
  '/var/log/alternatives.log',
  '/var/log/apt/eipp.log.xz',
  '/var/log/apt/history.log',
  '/var/log/apt/term.log',
  '/var/log/dpkg.log',
]

/**
 * apt-get in the sandbox, with downloads and lists from the caches, services kept from starting, the container's settings
 * of apt and dpkg out of force, and one initramfs for each kernel at the end instead of several on the way.
 * @throws when a name is no package's
 */
export async function installSteps(
  owner: string,
  release: Release,
  packages: readonly string[],
  task: MachineTask,
): Promise<readonly Step[]> {
  const names = [...new Set(packages.map(checkPackageName))].sort()
  if (release.archived === 'yes') {
    task.warn(`${task.match.os.prettyName} has left the mirrors: its package sources become those of archive.debian.org`)
  }
  const exec = (id: string, title: string, script: string, args: readonly string[], env = {}): ExecStep => ({
    id: `${owner}/${id}`,
    title,
    phase: 'packages',
    do: 'exec',
    argv: ['/bin/sh', '-c', script, 'c2m', ...args],
    env: { ...ENVIRONMENT, ...env },
  })
  return [
    ...(await temporaryFiles(owner, release, task)),
    exec('install', `install ${names.length} packages and what they need`, DOWNLOAD_AND_INSTALL, names, {
      C2M_ARCHIVE: release.archived,
      C2M_REINSTALL: (await damagedPackages(task.rootfs)).join(' '),
    }),
    ...localeSteps(task.machine.locale, exec),
    exec('initramfs', 'make the initramfs', MAKE_INITRAMFS, [], release.compressor === 'gzip' ? { GZIP: '-1' } : {}),
    exec('clean-up', 'remove what installing leaves behind', CLEAN_UP, []),
  ]
}

function localeSteps(
  asked: string | undefined,
  exec: (id: string, title: string, script: string, args: readonly string[]) => ExecStep,
): readonly Step[] {
  if (asked === undefined) return []
  const { name, lines, builtIn } = parseLocale(asked)
  return builtIn ? [] : [exec('locale-data', `make the locale ${name}`, MAKE_LOCALE, lines)]
}

async function temporaryFiles(owner: string, release: Release, { rootfs }: MachineTask): Promise<readonly Step[]> {
  const temporary = (path: string, content: string, mode = 0o644): TemporaryFileStep => ({
    id: `${owner}/temporary${path}`,
    title: `put a temporary ${path}`,
    phase: 'packages',
    do: 'temporaryFile',
    path,
    content,
    mode,
  })
  const settings: string[] = []
  for (const path of CONTAINER_SETTINGS) if ((await rootfs.stat(relativePath(path))) !== undefined) settings.push(path)
  return [
    // invoke-rc.d asks it: 101 is 'do not'
    temporary('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755),
    // before the real one in PATH; the real one is called by its path at the end
    temporary('/usr/local/sbin/update-initramfs', '#!/bin/sh\nexit 0\n', 0o755),
    temporary(INITRAMFS_SETTINGS_PATH, initramfsSettings(release)),
    temporary('/etc/apt/apt.conf.d/zz-c2m', aptSettings(release)),
    ...settings.map((path) => temporary(path, '')),
    ...LOGS.map((path) => temporary(path, '')),
  ]
}

/** The archive's Release files are past their validity, and old apt takes that only from here. */
function aptSettings({ archived }: Release): string {
  return archived === 'no' ? APT_SETTINGS : `${APT_SETTINGS}Acquire::Check-Valid-Until "false";\n`
}

/**
 * A Debian package's name (policy 5.6.1), with ':architecture', '=version' or '/release' behind it as apt-get takes them. A
 * name that ends in '-' would tell apt to remove, one that begins with '-' would be an option.
 */
function checkPackageName(name: string): string {
  if (/^[a-z0-9][a-z0-9+.-]*(?<!-)(?::[a-z0-9-]+)?(?:=[A-Za-z0-9.+:~-]+|\/[a-z0-9-]+)?$/.test(name)) return name
  throw new Error(`'${name}' is no package's name; write it as apt-get install takes it, e.g. curl or curl=7.88.1-10`)
}
