import type { ContainerInit, Rootfs, Step } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import { findUnit, SYSTEM_UNITS } from '../systemd/units.js'

const PROGRAMS = ['usr/lib/systemd/systemd', 'lib/systemd/systemd']
/** Commands for which Podman prepares a container for systemd by itself (podman-run(1), --systemd). */
const INITS = ['/sbin/init', '/usr/sbin/init']

/**
 * Units that need a machine: devices, consoles, kernel file systems, disks, networks, hypervisors and clouds.
 * The network is the runtime's.
 */
const MASKED = [
  'NetworkManager-wait-online.service',
  'NetworkManager.service',
  'apparmor.service',
  'blk-availability.service',
  'cloud-config.service',
  'cloud-final.service',
  'cloud-init-local.service',
  'cloud-init-main.service',
  'cloud-init-network.service',
  'cloud-init.service',
  'console-getty.service',
  'console-setup.service',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty-static.service',
  'getty.target',
  'getty@tty1.service',
  'google-guest-agent.service',
  'hv-kvp-daemon.service',
  'ifup@.service',
  'keyboard-setup.service',
  'kmod-static-nodes.service',
  'lvm2-lvmpolld.socket',
  'lvm2-monitor.service',
  'mdmonitor.service',
  'modprobe@.service',
  'multipathd.service',
  'networking.service',
  'open-vm-tools.service',
  'plymouth-quit-wait.service',
  'plymouth-start.service',
  'proc-sys-fs-binfmt_misc.automount',
  'proc-sys-fs-binfmt_misc.mount',
  'qemu-guest-agent.service',
  'rngd.service',
  'serial-getty@.service',
  'smartd.service',
  'smartmontools.service',
  'swap.target',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-binfmt.service',
  'systemd-firstboot.service',
  'systemd-fsck-root.service',
  'systemd-fsck@.service',
  'systemd-hwdb-update.service',
  'systemd-modules-load.service',
  'systemd-networkd-wait-online.service',
  'systemd-networkd.service',
  'systemd-networkd.socket',
  'systemd-pstore.service',
  'systemd-random-seed.service',
  'systemd-remount-fs.service',
  'systemd-resolved.service',
  'systemd-sysctl.service',
  'systemd-timesyncd.service',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-udev-settle.service',
  'systemd-udev-trigger.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd.service',
  'systemd-vconsole-setup.service',
  'vboxadd-service.service',
  'vboxadd.service',
  'vgauth.service',
  'walinuxagent.service',
]

/**
 * systemd as a container's first process (systemd's Container Interface, https://systemd.io/CONTAINER_INTERFACE):
 * container= in its environment, tmpfs on /run and /tmp, a cgroup tree of its own, SIGRTMIN+3 to shut down.
 * @param masked further units that need a machine
 */
export async function systemdInit(rootfs: Rootfs, masked: readonly string[] = []): Promise<ContainerInit | undefined> {
  const program = await firstOf(rootfs, PROGRAMS)
  if (program === undefined) return undefined
  const steps: Step[] = []
  for (const unit of [...MASKED, ...masked]) {
    if ((await findUnit(rootfs, unit)) === undefined) continue
    steps.push({
      id: `systemd/mask/${unit}`,
      title: `mask ${unit}, which needs a machine`,
      phase: 'configure',
      do: 'symlink',
      path: `/${SYSTEM_UNITS}/${unit}`,
      target: '/dev/null',
    })
  }
  return {
    id: 'systemd',
    process: {
      entrypoint: [(await initLeadingTo(rootfs, program)) ?? `/${program}`],
      env: { container: 'docker' },
      stopSignal: 'SIGRTMIN+3',
    },
    steps,
    runArguments: [
      ...['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp'],
      ...['--cgroupns=host', '--volume', '/sys/fs/cgroup:/sys/fs/cgroup:rw'],
    ],
  }
}

async function initLeadingTo(rootfs: Rootfs, program: string): Promise<string | undefined> {
  for (const init of INITS) if ((await rootfs.resolve(init.slice(1))) === program) return init
  return undefined
}

async function firstOf(rootfs: Rootfs, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(rootfs, path)) return rootfs.resolve(path)
  return undefined
}
