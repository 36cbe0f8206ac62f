import { describe, expect, it } from 'vitest'
import { bootInTurn, nameOf, type BootCase } from '../support/boot-case.js'
import { debian12, debian12Machine } from '../support/debian.js'
import { dhcpLease, healthySystemd, installKernel, STATIC_NETWORK } from '../support/guest.js'
import { ssh } from '../support/ssh.js'

/** The guest maintains itself: a new kernel with its entry in the menu, a new installation of the boot loader. */
async function upgradeKernelAndReinstallGrub(port: number): Promise<void> {
  await dhcpLease(port)
  await installKernel(port, 'linux-image-cloud-amd64')
  const disk = await ssh(port, 'lsblk -ndo PATH /dev/$(lsblk -ndo PKNAME $(findmnt -no SOURCE /))')
  for (const target of [`--target=i386-pc ${disk}`, '--target=x86_64-efi --removable --no-nvram'])
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
    boots: ['bios', 'uefi', 'bios'],
    first: upgradeKernelAndReinstallGrub,
    later: async (port) => expect(await ssh(port, 'uname -r')).toContain('cloud'),
  },
  {
    source: debian12,
    image: 'Debian 12',
    bootloader: 'grub-pc',
    table: 'GPT',
    remark: 'cloud kernel, swap',
    flags: ['--kernel', 'cloud', '--swap', '64M'],
    boots: ['bios', 'bios'],
    first: dhcpLease,
  },
  {
    source: debian12,
    image: 'Debian 12',
    bootloader: 'grub-pc',
    table: 'MBR',
    remark: 'cloud kernel, /boot of its own',
    flags: ['--kernel', 'cloud', '--boot-size', '256M'],
    boots: ['bios', 'bios'],
    first: dhcpLease,
  },
  {
    source: debian12Machine,
    image: 'Debian 12',
    bootloader: 'grub-efi',
    table: 'GPT',
    remark: 'static address, kernel and menu of the image',
    flags: ['--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    boots: ['uefi', 'uefi'],
    later: async (port) => {
      expect(await ssh(port, 'ls /boot/vmlinuz-*')).toMatch(/^\/boot\/vmlinuz-\S+-cloud-\S+$/)
      expect(await ssh(port, 'ip -4 -o route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'getent hosts deb.debian.org')).not.toBe('')
    },
  },
]

describe('a Debian image becomes a machine that GRUB boots', () => {
  for (const one of CASES) {
    it(nameOf(one), async ({ task }) => {
      await bootInTurn(one, { image: `oci:${await one.source()}`, healthy: healthySystemd, task })
    })
  }
})
