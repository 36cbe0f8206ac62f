import type { DiskPlan, MachineTask, RootfsEdit, Secret, Step } from '@c2m/plugin-api'
import { makeDirectory, readText } from './files.js'
import { kernelSteps } from './kernel.js'
import { interfaces } from './network.js'
import { dhcpScript, LOGIN, RC, VERIFY } from './scripts.js'

/** Everything but the boot loader. @throws when something was asked for that a BusyBox machine cannot have */
export async function toMachine(task: MachineTask): Promise<readonly Step[]> {
  const { machine, disk, givenKernel, warn } = task
  refuse(task)
  warnOfLimits(task)
  const { hostname, network, dns, consoles } = machine
  return [
    ...(givenKernel === undefined ? [] : await kernelSteps(givenKernel, warn)),
    custom('folders', 'make the directories to mount on, and /sbin/init', (rootfs) => makeFolders(rootfs, disk)),
    write('/etc/fstab', fstab(disk)),
    write('/etc/inittab', inittab(consoles)),
    write('/etc/init.d/rcS', RC, 0o755),
    write('/etc/init.d/login', LOGIN, 0o755),
    write('/etc/init.d/verify', VERIFY, 0o755),
    write('/etc/hostname', `${hostname}\n`),
    write('/etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${hostname}\n::1\tlocalhost\n`),
    write('/etc/network/interfaces', interfaces(network, hostname)),
    write('/usr/share/udhcpc/default.script', dhcpScript(dns.length > 0), 0o755),
    write('/etc/resolv.conf', dns.map((server) => `nameserver ${server}\n`).join('')),
    custom('root-password', "set root's password, or lock it", (rootfs) =>
      setPassword(rootfs, machine.rootPasswordHash),
    ),
  ]
}

function refuse({ machine }: MachineTask): void {
  if (machine.users.length > 0) throw new Error('a BusyBox machine has one user, root: leave out --user')
  if (machine.networkManager !== undefined) {
    throw new Error(`'${machine.networkManager}' is no network manager of a BusyBox machine, which has only ifup`)
  }
}

function warnOfLimits({ machine, warn }: MachineTask): void {
  warn('the root does not grow when the disk does, BusyBox has no resize2fs: choose the size with --size')
  if (machine.sshKeys.length > 0) {
    warn('the ssh keys are not used, BusyBox has no ssh server: log in on a console, with --root-password-file')
  }
  const ignored = (['timezone', 'locale', 'keyboard'] as const).filter((name) => machine[name] !== undefined)
  for (const name of ignored) warn(`--${name} is not used: a BusyBox image has no data for it`)
}

/** What the kernel and /etc/fstab mount on, and what the kernel starts. */
async function makeFolders(rootfs: RootfsEdit, disk: DiskPlan): Promise<void> {
  const mountpoints = disk.partitions.flatMap(({ mountpoint }) => mountpoint?.slice(1) || [])
  for (const path of ['dev', 'proc', 'run', 'sys', 'sbin', 'var', ...mountpoints]) await makeDirectory(rootfs, path)
  const link = async (path: string, linkTarget: string) => {
    if ((await rootfs.stat(path)) === undefined) await rootfs.put({ path, type: 'symlink', mode: 0o777, linkTarget })
  }
  await link('sbin/init', '/bin/busybox')
  await link('var/run', '/run')
}

/** fstab(5). There is no fsck, so nothing is checked. */
function fstab({ partitions }: DiskPlan): string {
  const lines = partitions.flatMap(({ filesystem, uuid, mountpoint }) => {
    if (uuid === undefined) return []
    if (filesystem === 'swap') return [`UUID=${uuid} none swap sw 0 0`]
    return mountpoint === undefined ? [] : [`UUID=${uuid} ${mountpoint} ${filesystem} defaults 0 0`]
  })
  // '/' is mounted before what is mounted below it
  return `${lines.reverse().join('\n')}\n`
}

/** BusyBox's inittab (examples/inittab in its source): a login on each console of the kernel. */
function inittab(consoles: readonly string[]): string {
  const logins = consoles.map((console) => {
    const [tty = '', options = ''] = console.split(',')
    const speed = /^\d+/.exec(options)?.[0] ?? '38400'
    return `::respawn:/etc/init.d/login ${tty === 'tty0' ? 'tty1' : tty} ${speed}`
  })
  const lines = ['::sysinit:/etc/init.d/rcS', ...logins]
  return `${[...lines, '::ctrlaltdel:/bin/reboot', '::shutdown:/bin/swapoff -a', '::shutdown:/bin/umount -a -r'].join('\n')}\n`
}

/**
 * shadow(5). The hash is asked for when the step runs, so that it is in no plan. BusyBox does not find an account whose
 * numbers are all empty, as in the image: the password was changed on day 1, and does not expire.
 */
async function setPassword(rootfs: RootfsEdit, hash: Secret | undefined): Promise<void> {
  const shadow = (await readText(rootfs, 'etc/shadow')) ?? ''
  const others = shadow.split('\n').filter((line) => line !== '' && !line.startsWith('root:'))
  const text = [`root:${hash?.reveal() ?? '*'}:1:0:99999:7:::`, ...others, ''].join('\n')
  await rootfs.put({ path: 'etc/shadow', type: 'file', mode: 0o640 }, Buffer.from(text))
}

function write(path: string, content: string, mode = 0o644): Step {
  const id = `busybox${path.replaceAll('/', '-').replace('-', '/')}`
  return { id, title: `write ${path}`, phase: 'configure', do: 'write', path, content, mode }
}

function custom(id: string, title: string, run: (rootfs: RootfsEdit) => Promise<void>): Step {
  return { id: `busybox/${id}`, title, phase: 'configure', do: 'custom', run: ({ rootfs }) => run(rootfs) }
}
