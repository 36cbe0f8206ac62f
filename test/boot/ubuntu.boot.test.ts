import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootInTurn, nameOf, type BootCase } from '../support/boot-case.js'
import { dhcpLease, healthySystemd, STATIC_NETWORK } from '../support/guest.js'
import type { ServedFolders } from '../support/http-folders.js'
import { WORK } from '../support/paths.js'
import { ssh } from '../support/ssh.js'
import { missingForUbuntu, serveUbuntuArchive, ubuntuImage } from '../support/ubuntu.js'

/** Debian's packages under Ubuntu's names. */
const COMMON = { image: 'Ubuntu 24.04 (stand-in)', table: 'GPT' } as const

const CASES: readonly BootCase[] = [
  {
    ...COMMON,
    bootloader: 'grub',
    remark: 'netplan',
    flags: [],
    boots: ['bios', 'uefi'],
    limit: 800e6,
    first: async (port) => {
      await dhcpLease(port)
      expect(await ssh(port, 'netplan get renderer')).toBe('networkd')
      expect(await ssh(port, 'ls /etc/netplan /etc/dpkg/dpkg.cfg.d')).not.toMatch(/50-cloud-init|excludes$/m)
      expect(await ssh(port, 'ls /etc/systemd/system')).not.toContain('snap-')
      expect(await ssh(port, 'resolvectl dns | grep -c 10.0.2.3')).toBe('1')
    },
  },
  {
    ...COMMON,
    bootloader: 'grub-pc',
    remark: 'netplan, static address',
    flags: ['--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    boots: ['bios', 'bios'],
    first: async (port) => {
      expect(await ssh(port, 'ip -4 -o route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'getent hosts deb.debian.org')).not.toBe('')
    },
  },
  {
    ...COMMON,
    bootloader: 'grub-efi',
    remark: 'NetworkManager',
    flags: ['--network-manager', 'networkmanager', '--kernel', 'generic'],
    boots: ['uefi', 'uefi'],
    first: async (port) => {
      expect(await ssh(port, 'nmcli -g GENERAL.STATE,GENERAL.CONNECTION device show | head -2')).toContain(
        '(connected)',
      )
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
    image = `oci:${await ubuntuImage(folder, archive.urls[0] ?? '')}`
  })
  afterAll(async () => {
    await archive[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  for (const one of CASES) {
    it(nameOf(one), ({ task }) => bootInTurn(one, { image, healthy: healthySystemd, task }))
  }
})
