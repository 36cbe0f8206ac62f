import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { startGuest, type Guest } from '@c2m/qemu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { busyboxImage, debianKernel, missingForBusybox } from '../support/busybox.js'
import { c2mOk } from '../support/cli.js'
import { configurationWith } from '../support/examples.js'
import { fsckRoot } from '../support/guest.js'
import { WORK } from '../support/paths.js'

const PASSWORD = 'correct horse'
const BOOT_MS = 300_000
const COMMAND_MS = 60_000

interface Case {
  readonly bootloader: string
  readonly table: 'GPT' | 'MBR'
  readonly firmware: Firmware
  readonly library: 'glibc' | 'musl'
  readonly flags: readonly string[]
}

const CASES: readonly Case[] = [
  { bootloader: 'extlinux', table: 'MBR', firmware: 'bios', library: 'musl', flags: ['--swap', '64M'] },
  { bootloader: 'systemd-boot', table: 'GPT', firmware: 'uefi', library: 'glibc', flags: [] },
]

const missing = missingForBusybox()
if (missing !== undefined) console.warn(`skipped: ${missing}`)

describe.skipIf(missing !== undefined)("the BusyBox plugin of examples/, with Debian's kernel", () => {
  let folder = ''
  let config = ''
  let password = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
    config = await configurationWith(folder, ['c2m-plugin-busybox', 'c2m-plugin-systemd-boot'])
    password = join(folder, 'password')
    await writeFile(password, PASSWORD)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.for(CASES)('boots with $bootloader, $table', async (one, { task }) => {
    const { bootloader, table, firmware, library, flags } = one
    const disk = join(folder, `${bootloader}.qcow2`)
    const kernel = await debianKernel()
    const common = ['--config', config, '--kernel', kernel, '--hostname', 'tiny', '--root-password-file', password]
    const how = ['--bootloader', bootloader, '--partition-table', table.toLowerCase(), ...flags]
    await c2mOk(['container2vm', `oci:${busyboxImage(library)}`, '-o', disk, ...common, ...how])
    const { size } = await stat(disk)
    task.meta.boot = { image: `BusyBox (${library})`, bootloader, table, firmware: firmware.toUpperCase(), size }

    const first = await logIn(disk, firmware, async (ask) => {
      const report = await healthy(ask, kernel)
      if (flags.includes('--swap')) expect(await ask('cat /proc/swaps')).toMatch(/partition/)
      await ask('echo kept > /root/kept')
      return report
    })
    const second = await logIn(disk, firmware, async (ask) => {
      expect(await ask('cat /root/kept')).toMatch(/^kept$/m)
      return healthy(ask, kernel)
    })
    expect(second).toBe(first)
    fsckRoot(disk, folder)
    await rm(disk)
  })
})

type Ask = (command: string) => Promise<string>

/** Boots, logs in on the serial console, does `work`, and powers off in order. */
async function logIn<T>(disk: string, firmware: Firmware, work: (ask: Ask) => Promise<T>): Promise<T> {
  await using guest = await startGuest({ disk, format: 'qcow2', firmware, snapshot: false, exitOnReboot: false })
  await guest.waitFor('tiny login: ', BOOT_MS)
  guest.send('root\r')
  await guest.waitFor('Password: ', COMMAND_MS)
  guest.send(`${PASSWORD}\r`)
  await guest.waitFor('# ', COMMAND_MS)
  const result = await work((command) => ask(guest, command)).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${guest.serialLog().slice(-4000)}`, { cause: error })
  })
  guest.send('poweroff\r')
  const { reason } = await guest.exited
  expect(reason).toBe('guest-shutdown')
  return result
}

/** What a command prints on the serial console; the marks are not written as they are printed, as what is typed is echoed. */
async function ask(guest: Guest, command: string): Promise<string> {
  let text = ''
  const stop = guest.onOutput((chunk) => (text += Buffer.from(chunk).toString('latin1')))
  guest.send(`echo '==='begin; ${command}; echo '==='end\r`)
  await guest.waitFor('===end', COMMAND_MS)
  stop()
  return (/===begin\r?\n([^]*?)===end/.exec(text)?.[1] ?? '').replaceAll('\r', '').trim()
}

const REPORT = [
  'cat /proc/1/comm /etc/hostname',
  'uname -r',
  `awk '$2 == "/" { print "root: " $3, $4 }' /proc/mounts`,
  'ip -4 -o addr show scope global',
  'ip route show default',
  'cat /etc/resolv.conf',
].join('; ')

/** BusyBox's init has come to the logins, with the root writable and an address of QEMU's network. */
async function healthy(ask: Ask, kernel: string): Promise<string> {
  const report = await ask(REPORT)
  const lines = report.split('\n')
  expect(lines.slice(0, 3)).toEqual(['init', 'tiny', kernel.slice(kernel.indexOf('vmlinuz-') + 'vmlinuz-'.length)])
  expect(lines).toContainEqual(expect.stringMatching(/^root: ext4 rw/))
  expect(lines).toContainEqual(expect.stringContaining('inet 10.0.2.15/24'))
  expect(lines).toContainEqual(expect.stringContaining('default via 10.0.2.2'))
  expect(lines).toContain('nameserver 10.0.2.3')
  // the name of the mount options' order, times and the like are not compared: the rest is the same at each boot
  return lines.slice(0, 3).join('\n')
}
