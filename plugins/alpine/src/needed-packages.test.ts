import { describe, expect, it } from 'vitest'
import { alpine, image, packagesOf, taskFor } from './testing/task.js'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHello me@host'
const ann = { name: 'ann', groups: [], sudo: true, sshKeys: [KEY] }

describe('packages', () => {
  it('are what a machine needs and no more', async () => {
    expect(await packagesOf(await taskFor('3.19.4'))).toEqual([
      'busybox-mdev-openrc',
      'busybox-openrc',
      'busybox-suid',
      'cmd:partx',
      'cmd:resize2fs',
      'cmd:sfdisk',
      'e2fsprogs',
      'linux-virt',
      'mkinitfs',
      'openrc',
    ])
  })
  it('follow the release', async () => {
    const old = await packagesOf(await taskFor('3.9.6', { kernel: 'lts', users: [ann] }))
    expect(old).toEqual(expect.arrayContaining(['busybox-initscripts', 'linux-vanilla', 'linux-firmware-none', 'sudo']))
    expect(old).not.toContain('busybox-openrc')
    expect(await packagesOf(await taskFor(undefined))).toContain('busybox-openrc')
  })
  it('follow what is asked', async () => {
    const machine = { users: [ann], timezone: 'Europe/Berlin', kernel: 'lts' }
    expect(await packagesOf(await taskFor('3.19.4', machine))).toEqual(
      expect.arrayContaining(['doas', 'linux-lts', 'openssh-server', 'openssh-sftp-server', 'tzdata']),
    )
    expect(await packagesOf(await taskFor('3.19.4', { users: [ann], packages: ['sudo'] }))).not.toContain('doas')
  })
  it('bring firmware and all drivers to a machine of metal', async () => {
    const packages = await packagesOf(await taskFor('3.19.4', {}, image(), 'physical'))
    expect(packages).toEqual(expect.arrayContaining(['linux-lts', 'linux-firmware']))
    expect(packages).not.toContain('linux-virt')
    const own = await taskFor('3.19.4', { packages: ['linux-firmware-i915'] }, image(), 'physical')
    expect(await packagesOf(own)).toContain('linux-lts')
    expect(await packagesOf(own)).not.toContain('linux-firmware')
  })
  it('let metal start by either firmware', async () => {
    const { match, traits } = await taskFor('3.19.4', {}, image(), 'physical')
    expect(traits.bootloaders[0]).toBe('grub')
    expect(alpine.traits(match, 'amd64', 'vm').bootloaders[0]).toBe('extlinux')
  })
  it("leave the image's own kernel", async () => {
    const tree = image({ 'boot/vmlinuz-edge': 'x', 'usr/share/zoneinfo/UTC': 'x' })
    const packages = await packagesOf(await taskFor('3.19.4', { timezone: 'UTC' }, tree))
    for (const name of ['linux-virt', 'tzdata']) expect(packages).not.toContain(name)
  })
  it('say what there is not', async () => {
    await expect(packagesOf(await taskFor('3.19.4', { kernel: 'cloud' }))).rejects.toThrow(/there are virt, lts/)
    await expect(packagesOf(await taskFor('3.19.4', { networkManager: 'networkd' }))).rejects.toThrow(/ifupdown/)
    const { match } = await taskFor('3.19.4')
    expect(() => alpine.traits(match, 'mips', 'vm')).toThrow(/no kernel package for the architecture mips/)
  })
})

describe('kernels', () => {
  it('are known by the names that stay, newest first', async () => {
    const tree = image({
      'boot/vmlinuz-lts': 'x',
      'boot/initramfs-lts': 'x',
      'usr/share/kernel/lts/kernel.release': '6.6.9-0-lts\n',
      'boot/vmlinuz-virt': 'x',
      'usr/share/kernel/virt/kernel.release': '6.6.10-0-virt\n',
      'boot/vmlinuz-mine': 'x',
      'boot/vmlinuz-virt.old': 'x',
      'boot/vmlinuz-empty': '',
    })
    expect(await alpine.kernels(tree)).toEqual([
      { version: 'mine', kernel: '/boot/vmlinuz-mine', initrd: undefined },
      { version: '6.6.10-0-virt', kernel: '/boot/vmlinuz-virt', initrd: undefined },
      { version: '6.6.9-0-lts', kernel: '/boot/vmlinuz-lts', initrd: '/boot/initramfs-lts' },
    ])
  })
})
