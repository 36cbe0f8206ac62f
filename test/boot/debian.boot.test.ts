import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Firmware } from '@c2m/plugin-api'
import type { GuestHardware } from '@c2m/qemu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian11, debian12, debian12Machine, debian13 } from '../support/debian.js'
import { aptInstall, fsckRoot, healthySystemd, runGuest, STATIC_NETWORK } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh, sshKey } from '../support/ssh.js'

interface Case {
  readonly name: string
  readonly image: () => Promise<string>
  readonly flags: readonly string[]
  readonly firmwares: readonly Firmware[]
  /** What is done inside the guest beyond the checks of every case. */
  readonly maintenance?: (port: number, firmware: Firmware) => Promise<void>
  /** The same after the next boot. */
  readonly afterwards?: (port: number) => Promise<void>
}

/** The guest maintains itself: a new kernel with its entry in the menu, a new installation of the boot loader. */
async function upgradeKernelAndReinstallGrub(port: number, firmware: Firmware): Promise<void> {
  await aptInstall(port, 'linux-image-cloud-amd64')
  const disk = await ssh(port, 'lsblk -ndo PATH /dev/$(lsblk -ndo PKNAME $(findmnt -no SOURCE /))')
  const target = firmware === 'bios' ? `--target=i386-pc ${disk}` : '--target=x86_64-efi --removable --no-nvram'
  await ssh(port, `grub-install ${target}`)
}

/** A new kernel comes into the menu by itself. */
async function addKernel(port: number): Promise<void> {
  const entries = () => ssh(port, 'grep ^LABEL /boot/extlinux/extlinux.conf')
  const before = await entries()
  await aptInstall(port, 'linux-image-cloud-amd64')
  expect((await entries()).split('\n')).toEqual([expect.stringContaining('cloud'), before])
}

const CASES: readonly Case[] = [
  {
    name: 'grub hybrid, GPT',
    image: debian12,
    flags: [],
    firmwares: ['bios', 'uefi'],
    maintenance: upgradeKernelAndReinstallGrub,
    afterwards: async (port) => expect(await ssh(port, 'uname -r')).toContain('cloud'),
  },
  { name: 'grub-pc, GPT', image: debian12, flags: ['--bootloader', 'grub-pc', '--swap', '64M'], firmwares: ['bios'] },
  {
    name: 'grub-pc, MBR, /boot of its own',
    image: debian12,
    flags: ['--bootloader', 'grub-pc', '--partition-table', 'mbr', '--boot-size', '256M'],
    firmwares: ['bios'],
  },
  {
    name: 'grub-efi, static address, own kernel',
    image: debian12Machine,
    flags: ['--bootloader', 'grub-efi', '--network', STATIC_NETWORK, '--dns', '10.0.2.3'],
    firmwares: ['uefi'],
    afterwards: async (port) => {
      expect(await ssh(port, 'ls /boot/vmlinuz-*')).toMatch(/^\/boot\/vmlinuz-\S+-cloud-\S+$/)
      expect(await ssh(port, 'ip -4 -o route show default')).toContain('via 10.0.2.2')
      expect(await ssh(port, 'getent hosts deb.debian.org')).not.toBe('')
    },
  },
  {
    name: 'extlinux, MBR, new kernel',
    image: debian12,
    flags: ['--bootloader', 'extlinux', '--partition-table', 'mbr'],
    firmwares: ['bios'],
    maintenance: addKernel,
    afterwards: async (port) => expect(await ssh(port, 'uname -r')).toContain('cloud'),
  },
  {
    name: 'extlinux, GPT, /boot of its own',
    image: debian12,
    flags: ['--bootloader', 'extlinux', '--boot-size', '256M'],
    firmwares: ['bios'],
  },
  { name: 'Debian 13, grub hybrid', image: debian13, flags: [], firmwares: ['uefi'] },
  { name: 'Debian 11, grub hybrid', image: debian11, flags: [], firmwares: ['bios'] },
]

const HARDWARE: readonly GuestHardware[] = [
  { disk: 'ahci', network: 'e1000' },
  { disk: 'pvscsi', network: 'vmxnet3' },
  { disk: 'nvme', network: 'virtio' },
]

describe('a Debian image becomes a machine', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
    await sshKey()
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function convert(name: string, image: () => Promise<string>, flags: readonly string[]): Promise<string> {
    const disk = join(folder, `${name.replace(/\W+/g, '-')}.qcow2`)
    const key = await sshKey()
    await c2mOk(['container2vm', `oci:${await image()}`, '-o', disk, '--hostname', 'web', '--ssh-key', key, ...flags])
    return disk
  }

  it.each(CASES)('$name', async ({ name, image, flags, firmwares, maintenance, afterwards }) => {
    const disk = await convert(name, image, flags)
    execFileSync('qemu-img', ['resize', '-q', disk, '+1G'])
    for (const firmware of firmwares) {
      await runGuest(disk, firmware, async (port) => {
        await healthySystemd(port)
        if (!flags.includes('--network')) {
          expect(await ssh(port, 'ip -4 -o addr show scope global dynamic')).toContain('inet 10.0.2.15')
        }
        expect(await ssh(port, 'hostname')).toBe('web')
        expect(Number(await ssh(port, 'df --output=size -B1M / | tail -1'))).toBeGreaterThan(1200)
        if (flags.includes('--swap')) expect(await ssh(port, 'swapon --noheadings --raw')).toContain('partition')
        await maintenance?.(port, firmware)
      })
      const identity = await runGuest(disk, firmware, async (port) => {
        await healthySystemd(port)
        await afterwards?.(port)
        return ssh(port, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub')
      })
      expect(identity).toMatch(/^[0-9a-f]{32}\nssh-ed25519 /)
      fsckRoot(disk, folder)
    }
    await rm(disk)
  })

  it('boots on other controllers and network cards', async () => {
    const disk = await convert('hardware', debian12, [])
    for (const hardware of HARDWARE) await runGuest(disk, 'bios', healthySystemd, { hardware, snapshot: true })
    await rm(disk)
  })
})
