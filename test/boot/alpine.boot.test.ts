import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alpineImage, missingForAlpine, serveRepositories } from '../support/alpine.js'
import { c2mOk } from '../support/cli.js'
import type { ServedFolders } from '../support/http-folders.js'
import { fsckRoot, runGuest, STATIC_NETWORK } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh, sshKey } from '../support/ssh.js'

interface Case {
  readonly name: string
  readonly flags: readonly string[]
  readonly firmwares: readonly Firmware[]
  /** Inside the guest, beyond the checks of every case. */
  readonly more?: (port: number) => Promise<void>
}

const CASES: readonly Case[] = [
  {
    name: 'extlinux, MBR',
    flags: ['--bootloader', 'extlinux', '--partition-table', 'mbr', '--user', 'ann:sudo', '--timezone', 'Asia/Tokyo'],
    firmwares: ['bios'],
    more: async (port) => {
      expect(await ssh(port, 'doas id -un', 'ann')).toBe('root')
      expect(await ssh(port, 'date +%Z')).toBe('JST')
    },
  },
  { name: 'extlinux, GPT', flags: ['--bootloader', 'extlinux', '--swap', '64M'], firmwares: ['bios'] },
  {
    name: 'grub-pc, GPT, static address',
    flags: ['--bootloader', 'grub-pc', '--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    firmwares: ['bios'],
    more: async (port) => {
      expect(await ssh(port, 'ip -4 route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'cat /etc/resolv.conf')).toBe('nameserver 10.0.2.3')
    },
  },
  { name: 'grub-efi, GPT', flags: ['--bootloader', 'grub-efi'], firmwares: ['uefi'] },
]

const missing = missingForAlpine(true)
if (missing !== undefined) console.warn(`skipped: ${missing}`)

describe.skipIf(missing !== undefined)(
  'an Alpine 3.19 image becomes a machine with stand-in kernel and boot loader packages',
  () => {
    let folder = ''
    let image = ''
    let repositories: ServedFolders
    beforeAll(async () => {
      folder = await mkdtemp(join(WORK, 'boot-'))
      repositories = await serveRepositories()
      image = await alpineImage(folder, '3.19.4', repositories.urls)
    })
    afterAll(async () => {
      await repositories[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    })

    it.each(CASES)('$name', async ({ name, flags, firmwares, more }) => {
      const disk = join(folder, `${name.replace(/\W+/g, '-')}.qcow2`)
      const key = await sshKey()
      await c2mOk(['container2vm', `oci:${image}`, '-o', disk, '--hostname', 'web', '--ssh-key', key, ...flags])
      console.log(`${name}: a file of ${((await stat(disk)).size / 2 ** 20).toFixed(0)} MiB, stand-in kernel included`)
      execFileSync('qemu-img', ['resize', '-q', disk, '+1G'])
      for (const firmware of firmwares) {
        const first = await runGuest(disk, firmware, async (port) => {
          await healthy(port)
          expect(await ssh(port, 'hostname')).toBe('web')
          expect(Number(await ssh(port, 'df -m / | tail -1 | tr -s " " | cut -d " " -f 2'))).toBeGreaterThan(1200)
          if (flags.includes('--swap')) expect(await ssh(port, 'cat /proc/swaps')).toContain('partition')
          await more?.(port)
          return ssh(port, 'cat /etc/ssh/ssh_host_ed25519_key.pub')
        })
        const second = await runGuest(disk, firmware, async (port) => {
          await healthy(port)
          return ssh(port, 'cat /etc/ssh/ssh_host_ed25519_key.pub')
        })
        expect(first).toMatch(/^ssh-ed25519 /)
        expect(second).toBe(first)
        fsckRoot(disk, folder)
      }
      await rm(disk)
    })
  },
)

/** In one go, since each ssh connection takes an emulated machine seconds; first it waits until the boot is over. */
const REPORT = `
while [ -e /run/openrc/rc.starting ] || [ "$(cat /run/openrc/softlevel)" != default ]; do sleep 1; done
for level in sysinit boot default; do rc-status --format ini $level; done
rc-status --crashed | sed 's/^/crashed: /'
ls /run/openrc/failed | sed 's/^/failed: /'
awk '$2 == "/" { print "root: " $4 }' /proc/mounts
ip -4 -o addr show scope global | sed 's/^/address: /'
echo "logins: $(ps -o args | grep -c '[g]etty.*ttyS0')"
`

async function healthy(port: number): Promise<void> {
  const lines = (await ssh(port, REPORT)).split('\n')
  const services = lines.filter((line) => line.includes('= '))
  expect(services.length).toBeGreaterThan(15)
  expect(services.filter((line) => !/= +started *$/.test(line))).toEqual([])
  expect(lines.filter((line) => /^(?:crashed|failed): /.test(line))).toEqual([])
  expect(lines).toContainEqual(expect.stringMatching(/^root: rw/))
  expect(lines).toContainEqual(expect.stringMatching(/^address: .*inet 10\.0\.2\.15/))
  expect(lines).toContain('logins: 1')
}
