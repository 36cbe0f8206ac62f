import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { fsckRoot, healthySystemd, runGuest, STATIC_NETWORK } from '../support/guest.js'
import type { ServedFolders } from '../support/http-folders.js'
import { WORK } from '../support/paths.js'
import { ssh, sshKey } from '../support/ssh.js'
import { missingForUbuntu, serveUbuntuArchive, ubuntuImage } from '../support/ubuntu.js'

interface Case {
  readonly name: string
  readonly flags: readonly string[]
  readonly firmwares: readonly Firmware[]
  /** Inside the guest, beyond the checks of every case. */
  readonly more: (port: number) => Promise<void>
}

const CASES: readonly Case[] = [
  {
    name: 'Ubuntu 24.04 (stand-in) grub GPT BIOS+UEFI: netplan',
    flags: [],
    firmwares: ['bios', 'uefi'],
    more: async (port) => {
      expect(await ssh(port, 'ip -4 -o addr show scope global dynamic')).toContain('inet 10.0.2.15')
      expect(await ssh(port, 'netplan get renderer')).toBe('networkd')
      expect(await ssh(port, 'ls /etc/netplan /etc/dpkg/dpkg.cfg.d')).not.toMatch(/50-cloud-init|excludes$/m)
      expect(await ssh(port, 'ls /etc/systemd/system')).not.toContain('snap-')
      expect(await ssh(port, 'resolvectl dns | grep -c 10.0.2.3')).toBe('1')
    },
  },
  {
    name: 'Ubuntu 24.04 (stand-in) grub-pc GPT BIOS: netplan, static address',
    flags: ['--bootloader', 'grub-pc', '--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    firmwares: ['bios'],
    more: async (port) => {
      expect(await ssh(port, 'ip -4 -o route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'getent hosts deb.debian.org')).not.toBe('')
    },
  },
  {
    name: 'Ubuntu 24.04 (stand-in) grub-efi GPT UEFI: NetworkManager',
    flags: ['--bootloader', 'grub-efi', '--network-manager', 'networkmanager', '--kernel', 'generic'],
    firmwares: ['uefi'],
    more: async (port) => {
      expect(await ssh(port, 'nmcli -g GENERAL.STATE,GENERAL.CONNECTION device show | head -2')).toMatch(/connected/)
    },
  },
]

const missing = missingForUbuntu()
if (missing !== undefined) console.warn(`skipped: ${missing}`)

describe.skipIf(missing !== undefined)('a stand-in for an Ubuntu image, made of Debian, becomes a machine', () => {
  let folder = ''
  let image = ''
  let archive: ServedFolders
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
    archive = await serveUbuntuArchive()
    image = await ubuntuImage(folder, archive.urls[0] ?? '')
  })
  afterAll(async () => {
    await archive[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  // not it.each, which cuts long names
  for (const { name, flags, firmwares, more } of CASES) {
    it(name, async () => {
      const disk = join(folder, `${name.replace(/\W+/g, '-')}.qcow2`)
      const key = await sshKey()
      await c2mOk(['container2vm', `oci:${image}`, '-o', disk, '--hostname', 'web', '--ssh-key', key, ...flags])
      const allocated = (await stat(disk)).blocks * 512
      console.log(`${name}: ${(allocated / 1e6).toFixed(0)} MB allocated`)
      if (flags.length === 0) expect(allocated).toBeLessThan(800e6)
      execFileSync('qemu-img', ['resize', '-q', disk, '+1G'])
      for (const firmware of firmwares) {
        const first = await runGuest(disk, firmware, async (port) => {
          await healthySystemd(port)
          expect(await ssh(port, 'hostname')).toBe('web')
          expect(Number(await ssh(port, 'df --output=size -B1M / | tail -1'))).toBeGreaterThan(1200)
          await more(port)
          return ssh(port, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub')
        })
        const second = await runGuest(disk, firmware, async (port) => {
          await healthySystemd(port)
          return ssh(port, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub')
        })
        expect(first).toMatch(/^[0-9a-f]{32}\nssh-ed25519 /)
        expect(second).toBe(first)
        fsckRoot(disk, folder)
      }
      await rm(disk)
    })
  }
})
