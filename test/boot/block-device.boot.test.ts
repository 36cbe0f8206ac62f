import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loopDevice, noLoopDevices } from '../../packages/disk/src/testing/loop-device.js'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { fsckRoot, healthySystemd, runGuest } from '../support/guest.js'
import { WORK } from '../support/paths.js'
import { ssh, sshKey } from '../support/ssh.js'

const because = noLoopDevices()
if (because !== undefined) console.warn(`SKIPPED: a machine on a block device: ${because}`)

const FLAGS = [
  ...['--target', 'physical', '--esp-size', '128M', '--network-manager', 'networkmanager'],
  ...['--timezone', 'Asia/Shanghai', '--locale', 'de_DE.UTF-8', '--keyboard', 'de:nodeadkeys'],
]

describe.skipIf(because !== undefined)('a Debian image on a block device', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'boot-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is a machine for any computer, and fills the device after its first boot', async () => {
    const [file, disk] = [join(folder, 'device'), join(folder, 'disk.qcow2')]
    {
      await using device = await loopDevice(file, 4 * 2 ** 30)
      const args = ['container2vm', `oci:${await debian12()}`, '-o', device.path, '--hostname', 'metal', ...FLAGS]
      const { stdout } = await c2mOk([...args, '--ssh-key', await sshKey(), '--force'])
      expect(stdout).toContain('a disk of 4.0 GiB, written and compared')
    }
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', file, disk])
    await rm(file)
    await runGuest(disk, 'uefi', async (port) => {
      await healthySystemd(port)
      expect(Number(await ssh(port, 'df --output=size -B1M / | tail -1'))).toBeGreaterThan(3500)
      expect(await ssh(port, 'cat /sys/class/tty/console/active')).toBe('ttyS0 tty0')
      expect(await ssh(port, 'uname -r')).not.toContain('cloud')
      expect(await ssh(port, 'nmcli -t -f NAME,STATE connection show --active')).toContain('c2m:activated')
      expect(await ssh(port, 'date +%Z; . /etc/default/locale; echo $LANG')).toBe('CST\nde_DE.UTF-8')
      // German: Z and Y have changed places
      expect(await ssh(port, 'dumpkeys -C /dev/tty1 | grep "^keycode  21 "')).toBe('keycode  21 = +z')
    })
    fsckRoot(disk, folder)
  })
})
