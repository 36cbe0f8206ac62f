import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { freePort } from '@c2m/process'
import { startGuest, type GuestHardware } from '@c2m/qemu'
import { expect } from 'vitest'
import { ssh, sshReady } from './ssh.js'

const BOOT_MS = 600_000

/** QEMU's user network has these addresses. */
export const STATIC_NETWORK = 'static:10.0.2.15/24,gateway=10.0.2.2'

export interface GuestOptions {
  readonly hardware?: GuestHardware
  readonly snapshot?: boolean
}

/** Boots a qcow2 disk, waits for ssh, does `work`, and powers off in order. */
export async function runGuest<T>(
  disk: string,
  firmware: Firmware,
  work: (port: number) => Promise<T>,
  { hardware, snapshot = false }: GuestOptions = {},
): Promise<T> {
  const port = await freePort()
  const forwards = [{ hostPort: port, guestPort: 22 }]
  await using guest = await startGuest({
    disk,
    format: 'qcow2',
    firmware,
    forwards,
    snapshot,
    hardware,
    exitOnReboot: false,
  })
  try {
    await sshReady(port, BOOT_MS)
    const result = await work(port)
    await ssh(port, 'poweroff').catch(() => undefined) // the connection may end before the answer
    const { reason } = await guest.exited
    expect(reason).toBe('guest-shutdown')
    return result
  } catch (error) {
    throw new Error(`${firmware}: ${(error as Error).message}\n${guest.serialLog().slice(-4000)}`, { cause: error })
  }
}

/** A machine under systemd: nothing failed, the root is writable, the network is up. */
export async function healthySystemd(port: number): Promise<void> {
  expect(await ssh(port, 'systemctl --failed --no-legend --plain')).toBe('')
  expect(await ssh(port, 'systemctl is-system-running')).toBe('running')
  expect(await ssh(port, 'findmnt -no OPTIONS /')).toMatch(/^rw/)
  expect(await ssh(port, 'ip -4 -o addr show scope global')).toMatch(/inet 10\.0\.2\.15/)
  expect(await ssh(port, 'cat /etc/machine-id')).toMatch(/^[0-9a-f]{32}$/)
}

export async function dhcpLease(port: number): Promise<void> {
  expect(await ssh(port, 'ip -4 -o addr show scope global dynamic')).toContain('inet 10.0.2.15')
}

/** Another kernel by the distro's package manager, with an initramfs for this machine alone, which is made sooner. */
export async function installKernel(port: number, name: string): Promise<void> {
  const apt = 'DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -y --no-install-recommends'
  const initramfs = 'echo MODULES=dep > /etc/initramfs-tools/conf.d/modules'
  await ssh(port, `${initramfs} && apt-get -qq update && ${apt} install ${name}`)
}

/** What a kernel's package does when it comes and when it goes, without the package, which takes an emulated machine minutes. */
const kernelHooks = (event: 'postinst' | 'postrm') =>
  `run-parts --arg=${LATER_KERNEL} --arg=/boot/vmlinuz-${LATER_KERNEL} --regex=zz-c2m /etc/kernel/${event}.d`

export const LATER_KERNEL = '99-test'
export const ADD_KERNEL = `cd /boot && for name in vmlinuz initrd.img; do cp "$name-$(uname -r)" $name-${LATER_KERNEL}; done &&
  ${kernelHooks('postinst')}`
export const REMOVE_KERNEL = `rm /boot/*-${LATER_KERNEL} && ${kernelHooks('postrm')}`

/** The root file system, after the guest powered off: clean, and nothing to repair. */
export function fsckRoot(disk: string, folder: string): void {
  const raw = join(folder, 'fsck.img')
  execFileSync('qemu-img', ['convert', '-O', 'raw', disk, raw])
  const table = JSON.parse(execFileSync('sfdisk', ['--json', raw], { encoding: 'utf8' })) as {
    partitiontable: { partitions: { start: number; size: number }[] }
  }
  const root = table.partitiontable.partitions.at(-1)
  execFileSync('e2fsck', ['-fn', `${raw}?offset=${(root?.start ?? 0) * 512}`], { stdio: 'pipe' })
  rmSync(raw)
}
