import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { configurationWith } from '../support/examples.js'
import { ADD_KERNEL, fsckRoot, healthySystemd, LATER_KERNEL, REMOVE_KERNEL, runGuest } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh, sshKey } from '../support/ssh.js'

const ENTRIES = '/boot/efi/loader/entries'

/** Its entry gets a word of its own. */
const MARK = `sed -i '/^options/s/$/ c2m.later/' ${ENTRIES}/debian-${LATER_KERNEL}.conf`

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
      expect((await ssh(port, `${ADD_KERNEL} && ${MARK} && ls ${ENTRIES}`)).split('\n')).toEqual([
        own,
        `debian-${LATER_KERNEL}.conf`,
      ])
    })
    await runGuest(disk, 'uefi', async (port) => {
      await healthySystemd(port)
      expect(await ssh(port, 'cat /proc/cmdline')).toContain('c2m.later')
      expect((await ssh(port, `${REMOVE_KERNEL} && ls ${ENTRIES}`)).split('\n')).toEqual([own])
    })
    fsckRoot(disk, folder)
  })
})
