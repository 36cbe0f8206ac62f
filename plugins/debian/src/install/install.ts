import {
  parseKeyboard,
  parseLocale,
  relativePath,
  scriptSteps,
  temporaryFileStep,
  type SandboxScript,
  type TemporaryFile,
} from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import { CONTAINER_SETTINGS } from '../configure/leftovers.js'
import type { DistroData } from '../distro.js'
import type { Release } from '../releases.js'
import { APT_SETTINGS, PATH } from './apt-settings.js'
import { damagedPackages, strippedPackages } from './damaged-packages.js'
import { downloadAndInstall } from './download-script.js'
import { INITRAMFS_SETTINGS_PATH, initramfsSettings } from './initramfs-settings.js'
import { CLEAN_UP, MAKE_INITRAMFS, MAKE_LOCALE, SET_KEYBOARD } from './scripts.js'

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
  { id: owner, archive }: Pick<DistroData, 'id' | 'archive'>,
  release: Release,
  packages: readonly string[],
  task: MachineTask,
): Promise<readonly Step[]> {
  const names = [...new Set(packages.map(checkPackageName))].sort()
  if (release.archived === 'yes') {
    task.warn(`${task.match.os.prettyName} has left the mirrors: its package sources become those of ${archive.host}`)
  }
  const settings = await containerSettings(task)
  const scripts: readonly SandboxScript[] = [
    {
      id: 'install',
      title: `install ${names.length} packages and what they need`,
      script: downloadAndInstall(archive.script),
      args: names,
      env: {
        C2M_ARCHIVE: release.archived,
        C2M_REINSTALL: (await damagedPackages(task.rootfs)).join(' '),
        C2M_STRIPPED: (await strippedPackages(task.rootfs)).join(' '),
      },
    },
    ...localeScripts(task.machine.locale),
    ...keyboardScripts(task.machine.keyboard),
    { id: 'initramfs', title: 'make the initramfs', script: MAKE_INITRAMFS },
    { id: 'clean-up', title: 'remove what installing leaves behind', script: CLEAN_UP, args: LOGS },
  ]
  return [
    ...[...temporaryFiles(release), ...settings].map((file) => temporaryFileStep(owner, file)),
    ...scriptSteps(owner, scripts, ENVIRONMENT),
  ]
}

function localeScripts(asked: string | undefined): readonly SandboxScript[] {
  if (asked === undefined) return []
  const { name, lines, builtIn } = parseLocale(asked)
  return builtIn ? [] : [{ id: 'locale-data', title: `make the locale ${name}`, script: MAKE_LOCALE, args: lines }]
}

function keyboardScripts(asked: string | undefined): readonly SandboxScript[] {
  if (asked === undefined) return []
  const { layout, variant = '' } = parseKeyboard(asked)
  return [{ id: 'keyboard', title: `set the keyboard ${asked}`, script: SET_KEYBOARD, args: [layout, variant] }]
}

/** The container's settings of apt and dpkg, empty. */
async function containerSettings({ rootfs }: MachineTask): Promise<readonly TemporaryFile[]> {
  const files: TemporaryFile[] = []
  for (const path of CONTAINER_SETTINGS) {
    if ((await rootfs.stat(relativePath(path))) !== undefined) files.push({ path, content: '', mode: 0o644 })
  }
  return files
}

function temporaryFiles(release: Release): readonly TemporaryFile[] {
  return [
    // invoke-rc.d asks it: 101 is 'do not'
    { path: '/usr/sbin/policy-rc.d', content: '#!/bin/sh\nexit 101\n', mode: 0o755 },
    // before the real one in PATH; the real one is called by its path at the end
    { path: '/usr/local/sbin/update-initramfs', content: '#!/bin/sh\nexit 0\n', mode: 0o755 },
    { path: INITRAMFS_SETTINGS_PATH, content: initramfsSettings(release), mode: 0o644 },
    { path: '/etc/apt/apt.conf.d/zz-c2m', content: aptSettings(release), mode: 0o644 },
    ...LOGS.map((path) => ({ path, content: '', mode: 0o644 })),
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
