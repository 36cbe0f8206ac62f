import { describe, expect, it } from 'vitest'
import { debian, image, packagesOf, taskFor } from './testing/task.js'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHello me@host'

describe('packages', () => {
  it('are what a machine needs and no more', async () => {
    const packages = await packagesOf(await taskFor('12'))
    expect(packages).toEqual(
      expect.arrayContaining(['linux-image-amd64', 'systemd-sysv', 'systemd-resolved', 'zstd', 'fdisk']),
    )
    for (const name of ['openssh-server', 'sudo', 'locales', 'ifupdown']) expect(packages).not.toContain(name)
  })
  it('follow the release', async () => {
    const packages = await packagesOf(await taskFor('9'))
    for (const name of ['systemd-resolved', 'systemd-timesyncd', 'fdisk', 'zstd']) expect(packages).not.toContain(name)
  })
  it('follow what is asked', async () => {
    const users = [{ name: 'alice', groups: [], sudo: true, sshKeys: [KEY] }]
    const machine = {
      users,
      locale: 'de_DE.UTF-8',
      timezone: 'Europe/Berlin',
      kernel: 'cloud',
      networkManager: 'ifupdown',
    }
    expect(await packagesOf(await taskFor('13', machine))).toEqual(
      expect.arrayContaining([
        'openssh-server',
        'sudo',
        'locales',
        'tzdata',
        'linux-image-cloud-amd64',
        'ifupdown',
        'dhcpcd-base',
      ]),
    )
  })
  it("take the image's kernel, unless one is asked for", async () => {
    const tree = image({ 'boot/vmlinuz-6.1.0-9-amd64': 'k', 'usr/sbin/chronyd': '' })
    const packages = await packagesOf(await taskFor('12', {}, tree))
    expect(packages.filter((name) => /linux-image|timesyncd/.test(name))).toEqual([])
    expect(await packagesOf(await taskFor('12', { kernel: 'generic' }, tree))).toContain('linux-image-amd64')
  })
  it('are refused for what there is not', async () => {
    await expect(packagesOf(await taskFor('12', { kernel: 'tiny' }))).rejects.toThrow(
      /no kernel flavour 'tiny'; there are generic, cloud/,
    )
    await expect(packagesOf(await taskFor('12', { networkManager: 'wicked' }))).rejects.toThrow(
      /'wicked' is no network manager .* networkd, ifupdown, networkmanager/,
    )
    await expect(packagesOf(await taskFor('9', { networkManager: 'ifupdown' }))).rejects.toThrow(
      /there are networkd, networkmanager/,
    )
    expect(() => debian.traits({ distance: 0, os: {} as never }, 'sparc', 'vm')).toThrow(
      /no kernel package for the architecture sparc/,
    )
  })
})

describe('kernels', () => {
  it('are found with their initramfs, newest first', async () => {
    const tree = image({
      'boot/vmlinuz-6.1.0-9-amd64': 'k',
      'boot/initrd.img-6.1.0-9-amd64': 'i',
      'boot/vmlinuz-6.1.0-10-amd64': 'k',
      'boot/initrd.img-6.1.0-10-amd64': '',
      'boot/vmlinuz-6.1.0-11-amd64.dpkg-new': 'k',
      'boot/vmlinuz': '-> vmlinuz-6.1.0-10-amd64',
    })
    expect(await debian.kernels(tree)).toEqual([
      { version: '6.1.0-10-amd64', kernel: '/boot/vmlinuz-6.1.0-10-amd64', initrd: undefined },
      { version: '6.1.0-9-amd64', kernel: '/boot/vmlinuz-6.1.0-9-amd64', initrd: '/boot/initrd.img-6.1.0-9-amd64' },
    ])
  })
})
