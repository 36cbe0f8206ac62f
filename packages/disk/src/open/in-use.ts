import { readFile, readdir, readlink, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { C2mError } from '@c2m/process'
import { deviceNumbers } from '../block/device-numbers.js'

/** QEMU holds this byte of an image while it may write it (block/file-posix.c: permission bytes 100 …, WRITE is 1). */
const QEMU_WRITE_BYTE = 101
/** Programs that keep their disks open for writing without a lock; names as in /proc/PID/comm, 15 bytes at most. */
const UNLOCKING_PROGRAMS = ['VirtualBoxVM', 'VBoxHeadless', 'VirtualBox', 'vmware-vmx']

export function diskInUse(shown: string, cause?: unknown): C2mError {
  return new C2mError('C2M_DISK_IN_USE', `${shown} is in use by a running machine or another program`, {
    hint: 'shut the machine down, or copy or snapshot its disk and read that',
    cause,
  })
}

/**
 * Refuses a file that somebody may be writing to, as far as it can be noticed: locks for writing (QEMU, libvirt's
 * virtlockd, systemd-nspawn …), VMware's .lck folders, VirtualBox and VMware processes that hold it open.
 * @param path absolute, without symlinks
 * @throws C2M_DISK_IN_USE
 */
export async function refuseInUse(path: string): Promise<void> {
  if ((await isLocked(path)) || (await isHeldOpen(path))) throw diskInUse(path)
  if (await hasVmwareLock(path)) {
    throw new C2mError('C2M_DISK_IN_USE', `${path} is locked by VMware: ${basename(path)}.lck lies beside it`, {
      hint: 'shut the machine down; remove that folder when no machine uses the disk',
    })
  }
}

async function isLocked(path: string): Promise<boolean> {
  const [{ dev, ino }, locks] = await Promise.all([stat(path), readFile('/proc/locks', 'latin1').catch(() => '')])
  return isWriteLocked(locks, deviceNumbers(dev), ino)
}

/**
 * Looks through /proc/locks (proc_locks(5)):
 *
 *     1: OFDLCK ADVISORY  READ -1 fe:00:4321 101 101
 *     number: type, kind, access, pid, device:inode in hex, hex, decimal, first byte, last byte
 *
 * Lines of waiting lockers have '->' after the number; they have nothing yet.
 */
export function isWriteLocked(locks: string, device: { major: number; minor: number }, inode: number): boolean {
  return locks.split('\n').some((line) => {
    const [, type = '', , access, , file = '', first = '', last = ''] = line.trim().split(/\s+/)
    const [major = '', minor = '', number] = file.split(':')
    if (Number(number) !== inode) return false
    const sameDevice = Number.parseInt(major, 16) === device.major && Number.parseInt(minor, 16) === device.minor
    // btrfs and overlayfs name another anonymous device here than stat(2) does
    const anonymous = Number.parseInt(major, 16) === 0 && device.major === 0
    if (!sameDevice && !anonymous) return false
    if (type === 'FLOCK' || type === 'POSIX' || type === 'OFDLCK') {
      if (access === 'WRITE') return true
      return type !== 'FLOCK' && covers(first, last, QEMU_WRITE_BYTE)
    }
    return false
  })
}

/** Only small ranges: a reader's lock on the whole file is no writer's. */
function covers(first: string, last: string, byte: number): boolean {
  return Number(first) >= 100 && Number(first) <= byte && last !== 'EOF' && Number(last) >= byte
}

async function hasVmwareLock(path: string): Promise<boolean> {
  const names = await readdir(`${path}.lck`).catch(() => [])
  return names.some((name) => name.endsWith('.lck'))
}

/** As far as this user may look. */
async function isHeldOpen(path: string): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const name = await readFile(`/proc/${pid}/comm`, 'latin1').catch(() => '')
    if (!UNLOCKING_PROGRAMS.includes(name.trimEnd())) continue
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if ((await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')) === path) return true
    }
  }
  return false
}
