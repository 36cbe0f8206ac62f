import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootTwice, nameOf, type BootCase } from '../support/boot-twice.js'
import { debian12, debian12Machine } from '../support/debian.js'
import { aptInstall, dhcpLease, healthySystemd, STATIC_NETWORK } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh } from '../support/ssh.js'

/** The guest maintains itself: a new kernel with its entry in the menu, a new installation of the boot loader. */
async function upgradeKernelAndReinstallGrub(port: number, firmware: Firmware): Promise<void> {
  await dhcpLease(port)
  await aptInstall(port, 'linux-image-cloud-amd64')
  const disk = await ssh(port, 'lsblk -ndo PATH /dev/$(lsblk -ndo PKNAME $(findmnt -no SOURCE /))')
  const target = firmware === 'bios' ? `--target=i386-pc ${disk}` : '--target=x86_64-efi --removable --no-nvram'
  await ssh(port, `grub-install ${target}`)
}

const CASES: readonly (BootCase & { readonly source: () => Promise<string> })[] = [
  {
    source: debian12,
    image: 'Debian 12',
    bootloader: 'grub',
    table: 'GPT',
    remark: 'new kernel and grub-install in the guest',
    flags: [],
    firmwares: ['bios', 'uefi'],
    first: upgradeKernelAndReinstallGrub,
    second: async (port) => expect(await ssh(port, 'uname -r')).toContain('cloud'),
  },
  {
    source: debian12,
    image: 'Debian 12',
    bootloader: 'grub-pc',
    table: 'GPT',
    remark: 'swap',
    flags: ['--swap', '64M'],
    firmwares: ['bios'],
    first: dhcpLease,
  },
  {
    source: debian12,
    image: 'Debian 12',
    bootloader: 'grub-pc',
    table: 'MBR',
    remark: '/boot of its own',
    flags: ['--boot-size', '256M'],
    firmwares: ['bios'],
    first: dhcpLease,
  },
  {
    source: debian12Machine,
    image: 'Debian 12',
    bootloader: 'grub-efi',
    table: 'GPT',
    remark: 'static address, kernel and menu of the image',
    flags: ['--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    firmwares: ['uefi'],
    second: async (port) => {
      expect(await ssh(port, 'ls /boot/vmlinuz-*')).toMatch(/^\/boot\/vmlinuz-\S+-cloud-\S+$/)
      expect(await ssh(port, 'ip -4 -o route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'getent hosts deb.debian.org')).not.toBe('')
    },
  },
]

describe('a Debian image becomes a machine that GRUB boots', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  for (const one of CASES) {
    it(nameOf(one), async ({ task }) => {
      await bootTwice(one, { folder, image: `oci:${await one.source()}`, healthy: healthySystemd, task })
    })
  }
})
