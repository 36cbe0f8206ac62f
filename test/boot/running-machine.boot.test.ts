import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveRootfs, indexLayer } from '@c2m/rootfs'
import { freePort } from '@c2m/process'
import { startGuest } from '@c2m/qemu'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { WORK } from '../support/paths.js'
import { homeThatKnows } from '../support/ssh-config.js'
import { ssh, sshKey, sshReady } from '../support/ssh.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(WORK, 'running-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('a machine that runs becomes an image over ssh', async () => {
  const disk = join(folder, 'machine.qcow2')
  const flags = ['--kernel', 'cloud', '--bootloader', 'grub-pc', '--hostname', 'alive', '--ssh-key', await sshKey()]
  await c2mOk(['container2vm', `oci:${await debian12()}`, '-o', disk, ...flags])
  const port = await freePort()
  const forwards = [{ hostPort: port, guestPort: 22 }]
  await using guest = await startGuest({ disk, format: 'qcow2', firmware: 'bios', forwards, snapshot: true })
  await sshReady(port, 300_000)
  await ssh(port, 'echo made while it ran > /srv/mark')
  const tar = join(folder, 'alive.tar')
  const { stdout } = await c2mOk(['vm2container', `ssh://root@127.0.0.1:${port}`, '-o', `tarball:${tar}`, '--json'], {
    env: await homeThatKnows(folder, port),
  })
  const { plan } = JSON.parse(stdout) as { plan: { os: string; cleaning: { id: string; removed: number }[] } }
  expect(plan.os).toContain('Debian GNU/Linux 12')
  expect(plan.cleaning.find(({ id }) => id === 'kernel')?.removed).toBeGreaterThan(100)
  await using tree = await archiveRootfs(await indexLayer(tar))
  expect((await tree.stat('srv/mark'))?.size).toBe('made while it ran\n'.length)
  expect(await tree.stat('etc/machine-id')).toMatchObject({ type: 'file', size: 0 })
  expect(await tree.stat('boot/vmlinuz')).toBeUndefined()
  expect(guest.serialLog()).not.toContain('Kernel panic')
})
