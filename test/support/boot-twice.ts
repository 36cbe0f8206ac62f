import { execFileSync } from 'node:child_process'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { expect, type RunnerTestCase } from 'vitest'
import type { BootRow } from './boot-matrix.js'
import { c2mOk } from './cli.js'
import { fsckRoot, runGuest } from './guest.js'
import { ssh, sshKey } from './ssh.js'

/** A conversion whose disk is booted, and what it shows beyond what each of them must. */
export interface BootCase extends Omit<BootRow, 'firmware' | 'size'> {
  readonly flags: readonly string[]
  readonly firmwares: readonly Firmware[]
  /** Inside the guest at its first boot. */
  readonly first?: (port: number, firmware: Firmware) => Promise<void>
  /** The same at its second one. */
  readonly second?: (port: number) => Promise<void>
  /** The most that the qcow2 file may take when it is made; bytes. */
  readonly limit?: number
}

export function nameOf({ image, bootloader, table, firmwares, remark }: BootCase): string {
  return [image, bootloader, table, firmwareNames(firmwares), ...(remark === undefined ? [] : [remark])].join(', ')
}

export interface BootPlace {
  /** Where disks are made. */
  readonly folder: string
  /** Reference of the image. */
  readonly image: string
  /** That the init system has nothing to complain of, the root is writable and the network up. */
  readonly healthy: (port: number) => Promise<void>
  /** For the table of what was booted. */
  readonly task: Readonly<RunnerTestCase>
}

/**
 * Converts, makes the disk larger, and boots it twice under each firmware: healthy, named, grown, with its swap, reached by
 * ssh with the given key, the same machine again, and a clean file system after it powered off.
 */
export async function bootTwice(one: BootCase, { folder, image, healthy, task }: BootPlace): Promise<void> {
  const { flags, firmwares, first, second, limit } = one
  const disk = join(folder, `${nameOf(one).replace(/\W+/g, '-')}.qcow2`)
  const own = ['--hostname', 'web', '--ssh-key', await sshKey(), '--bootloader', one.bootloader]
  const table = ['--partition-table', one.table.toLowerCase()]
  await c2mOk(['container2vm', image, '-o', disk, ...own, ...table, ...flags])
  const size = (await stat(disk)).blocks * 512
  if (limit !== undefined) expect(size).toBeLessThan(limit)
  const { image: name, bootloader, table: kind, remark } = one
  task.meta.boot = { image: name, bootloader, table: kind, remark, firmware: firmwareNames(firmwares), size }
  execFileSync('qemu-img', ['resize', '-q', disk, '+1G'])
  for (const firmware of firmwares) {
    const identity = await runGuest(disk, firmware, async (port) => {
      await healthy(port)
      expect(await ssh(port, 'hostname')).toBe('web')
      expect(Number(await ssh(port, 'df -m / | tail -1 | tr -s " " | cut -d " " -f 2'))).toBeGreaterThan(1200)
      if (flags.includes('--swap')) expect(await ssh(port, 'cat /proc/swaps')).toContain('partition')
      await first?.(port, firmware)
      return ssh(port, IDENTITY)
    })
    expect(identity).toMatch(/^ssh-ed25519 /)
    const again = await runGuest(disk, firmware, async (port) => {
      await healthy(port)
      await second?.(port)
      return ssh(port, IDENTITY)
    })
    expect(again).toBe(identity)
    fsckRoot(disk, folder)
  }
  await rm(disk)
}

/** What makes it this machine and no other. */
const IDENTITY = 'cat /etc/ssh/ssh_host_ed25519_key.pub; if [ -e /etc/machine-id ]; then cat /etc/machine-id; fi'

function firmwareNames(firmwares: readonly Firmware[]): string {
  return firmwares.map((one) => one.toUpperCase()).join(' and ')
}
