import type { RootfsEdit, Step } from '@c2m/plugin-api'
import { joinPath } from '../files/paths.js'
import { exists } from '../files/read.js'
import { makeSymlink } from '../files/write.js'
import { enableUnit, findUnit, SYSTEM_UNITS, unmaskUnit } from './units.js'

/** Units that images for containers mask or that only a machine needs; without them a machine does not come up whole. */
const NEEDED = [
  'basic.target',
  'dbus.service',
  'dbus.socket',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'getty.target',
  'getty@.service',
  'getty@tty1.service',
  'kmod-static-nodes.service',
  'local-fs.target',
  'multi-user.target',
  'serial-getty@.service',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sysinit.target',
  'systemd-fsck-root.service',
  'systemd-fsck@.service',
  'systemd-journal-flush.service',
  'systemd-journald.service',
  'systemd-journald.socket',
  'systemd-logind.service',
  'systemd-machine-id-commit.service',
  'systemd-modules-load.service',
  'systemd-random-seed.service',
  'systemd-remount-fs.service',
  'systemd-sysctl.service',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-tmpfiles-setup.service',
  'systemd-udev-trigger.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd.service',
  'systemd-update-utmp.service',
  'systemd-user-sessions.service',
]

/** `systemctl enable` for units that other packages bring; a unit that is not there is an error unless it is optional. */
export function enableStep(owner: string, units: readonly string[], optional: readonly string[] = []): Step {
  return {
    id: `${owner}/enable`,
    title: `enable ${units.join(', ')}`,
    phase: 'configure',
    do: 'custom',
    run: async ({ rootfs }) => {
      for (const unit of [...units, ...optional]) {
        await unmaskUnit(rootfs, unit)
        if (!(await enableUnit(rootfs, unit)) && units.includes(unit))
          throw new Error(`the tree has no systemd unit ${unit}`)
      }
    },
  }
}

/** Makes systemd bring up a machine: no masks of what a machine needs, a default target with a login, no firstboot questions. */
export function bootTargetStep(owner: string): Step {
  return {
    id: `${owner}/boot-target`,
    title: 'let systemd boot to a login',
    phase: 'configure',
    do: 'custom',
    run: async ({ rootfs }) => {
      for (const unit of NEEDED) await unmaskUnit(rootfs, unit)
      // a display manager in the image says that somebody wants graphical.target, systemd's own default
      if (!(await exists(rootfs, joinPath(SYSTEM_UNITS, 'display-manager.service')))) await setDefaultTarget(rootfs)
    },
  }
}

async function setDefaultTarget(edit: RootfsEdit): Promise<void> {
  const target = await findUnit(edit, 'multi-user.target')
  if (target === undefined) throw new Error('the tree has no systemd: multi-user.target is missing')
  await makeSymlink(edit, joinPath(SYSTEM_UNITS, 'default.target'), target)
}
