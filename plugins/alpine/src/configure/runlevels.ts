import { runlevelStep, type Runlevels } from '@c2m/linux'
import type { Step } from '@c2m/plugin-api'

/** What setup-alpine puts there on a new machine; of several names the first that the machine has. */
const RUNLEVELS: Runlevels = {
  sysinit: ['devfs', 'dmesg', ['udev', 'mdevd', 'mdev'], 'udev-trigger', 'udev-settle', 'hwdrivers'],
  boot: [
    'modules',
    ['hwclock', 'swclock'],
    'swap',
    'hostname',
    'sysctl',
    'bootmisc',
    ['rsyslog', 'syslog-ng', 'sysklogd', 'syslog'],
    ['seedrng', 'urandom'],
    'networking',
  ],
  default: ['acpid', ['cronie', 'fcron', 'dcron', 'crond'], ['chronyd', 'openntpd', 'ntpd']],
  shutdown: ['killprocs', 'mount-ro', 'savecache'],
}

export function runlevelSteps(
  owner: string,
  { ssh, keymap }: { readonly ssh: boolean; readonly keymap: boolean },
): readonly Step[] {
  const own: Runlevels = { boot: keymap ? ['loadkmap'] : [], default: ssh ? ['sshd'] : [] }
  const added = Object.entries(own).map(([level, names]) => [level, [...(RUNLEVELS[level] ?? []), ...names]] as const)
  return [runlevelStep(owner, { ...RUNLEVELS, ...Object.fromEntries(added) })]
}
