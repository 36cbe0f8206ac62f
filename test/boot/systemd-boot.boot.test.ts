import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { configurationWith } from '../support/examples.js'
import { fsckRoot, healthySystemd, runGuest } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh, sshKey } from '../support/ssh.js'

const ENTRIES = '/boot/efi/loader/entries'

/** As the package of a kernel does when it comes, which takes an emulated machine minutes; its entry gets a word of its own. */
const ADD_KERNEL = `cd /boot && for name in vmlinuz initrd.img; do cp "$name-$(uname -r)" $name-99-test; done &&
  run-parts --arg=99-test --arg=/boot/vmlinuz-99-test --regex=zz-c2m /etc/kernel/postinst.d &&
  sed -i '/^options/s/$/ c2m.later/' ${ENTRIES}/debian-99-test.conf && ls ${ENTRIES}`
/** And when it goes. */
const REMOVE_KERNEL = `rm /boot/*-99-test &&
  run-parts --arg=99-test --arg=/boot/vmlinuz-99-test --regex=zz-c2m /etc/kernel/postrm.d && ls ${ENTRIES}`

describe('the systemd-boot plugin of examples/', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('boots Debian 12, also with a kernel that came later', async ({ task }) => {
    const disk = join(folder, 'systemd-boot.qcow2')
    const config = await configurationWith(folder, ['c2m-plugin-systemd-boot'])
    const flags = ['--bootloader', 'systemd-boot', '--config', config, '--ssh-key', await sshKey()]
    await c2mOk(['container2vm', `oci:${await debian12()}`, '-o', disk, ...flags])
    const size = (await stat(disk)).size
    task.meta.boot = { image: 'Debian 12', bootloader: 'systemd-boot', table: 'GPT', firmware: 'UEFI', size }
    const own = expect.stringMatching(/^debian-6\.1\.\S+-amd64\.conf$/) as string
    await runGuest(disk, 'uefi', async (port) => {
      await healthySystemd(port)
      expect(await ssh(port, 'findmnt -no FSTYPE /boot/efi')).toBe('vfat')
      expect((await ssh(port, ADD_KERNEL)).split('\n')).toEqual([own, 'debian-99-test.conf'])
    })
    await runGuest(disk, 'uefi', async (port) => {
      await healthySystemd(port)
      expect(await ssh(port, 'cat /proc/cmdline')).toContain('c2m.later')
      expect((await ssh(port, REMOVE_KERNEL)).split('\n')).toEqual([own])
    })
    fsckRoot(disk, folder)
  })
})
