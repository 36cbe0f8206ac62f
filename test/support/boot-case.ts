import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { CleanupStack } from '@c2m/process'
import { expect, type RunnerTestCase } from 'vitest'
import type { BootRow } from './boot-matrix.js'
import { c2mOk } from './cli.js'
import { fsckRoot, runGuest } from './guest.js'
import { WORK } from './paths.js'
import { ssh, sshKey } from './ssh.js'

/** A conversion whose disk is booted, and what it shows beyond what each of them must. */
export interface BootCase extends Omit<BootRow, 'firmware' | 'size'> {
  readonly flags: readonly string[]
  /** The firmware of each boot, one after the other: at least two. */
  readonly boots: readonly Firmware[]
  /** Inside the guest at its first boot. */
  readonly first?: (port: number) => Promise<void>
  /** The same at each later one. */
  readonly later?: (port: number) => Promise<void>
  /** The most that the qcow2 file may take when it is made; bytes. */
  readonly limit?: number
}

export function nameOf({ image, bootloader, table, boots, remark }: BootCase): string {
  return [image, bootloader, table, firmwareNames(boots), ...(remark === undefined ? [] : [remark])].join(', ')
}

export interface BootPlace {
  /** Reference of the image. */
  readonly image: string
  /** That the init system has nothing to complain of, the root is writable and the network up. */
  readonly healthy: (port: number) => Promise<void>
  /** For the table of what was booted. */
  readonly task: Readonly<RunnerTestCase>
}

/**
 * Converts, makes the disk larger, and boots it again and again: healthy, named, grown, with its swap, reached by ssh with
 * the given key, always the same machine, and a clean file system after it powered off.
 */
export async function bootInTurn(one: BootCase, { image, healthy, task }: BootPlace): Promise<void> {
  const { boots, flags, first, later, limit } = one
  const folder = await mkdtemp(join(WORK, 'boot-'))
  await using cleanup = new CleanupStack()
  cleanup.defer(() => rm(folder, { recursive: true }))
  const disk = join(folder, 'disk.qcow2')
  const own = ['--hostname', 'web', '--ssh-key', await sshKey(), '--bootloader', one.bootloader]
  const table = ['--partition-table', one.table.toLowerCase()]
  await c2mOk(['container2vm', image, '-o', disk, ...own, ...table, ...flags])
  const size = (await stat(disk)).blocks * 512
  if (limit !== undefined) expect(size).toBeLessThan(limit)
  const { image: name, bootloader, table: kind, remark } = one
  task.meta.boot = { image: name, bootloader, table: kind, remark, firmware: firmwareNames(boots), size }
  execFileSync('qemu-img', ['resize', '-q', disk, '+1G'])
  const identities: string[] = []
  for (const firmware of boots) {
    await runGuest(disk, firmware, async (port) => {
      await healthy(port)
      if (identities.length > 0) await later?.(port)
      else {
        expect(await ssh(port, 'hostname')).toBe('web')
        expect(Number(await ssh(port, 'df -m / | tail -1 | tr -s " " | cut -d " " -f 2'))).toBeGreaterThan(1200)
        if (flags.includes('--swap')) expect(await ssh(port, 'cat /proc/swaps')).toContain('partition')
        await first?.(port)
      }
      identities.push(await ssh(port, IDENTITY))
    })
  }
  expect(identities[0]).toMatch(/^ssh-ed25519 /)
  expect(new Set(identities).size).toBe(1)
  fsckRoot(disk, folder)
}

/** What makes it this machine and no other. */
const IDENTITY = 'cat /etc/ssh/ssh_host_ed25519_key.pub; if [ -e /etc/machine-id ]; then cat /etc/machine-id; fi'

function firmwareNames(boots: readonly Firmware[]): string {
  return [...new Set(boots)].map((one) => one.toUpperCase()).join(' and ')
}
