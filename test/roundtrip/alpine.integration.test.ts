import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openImage } from '@c2m/image'
import { readText } from '@c2m/linux'
import { archiveRootfs, compareRootfs, indexLayer } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alpineImage, missingForAlpine, serveRepositories, standIns, standInsOf39 } from '../support/alpine.js'
import { c2mOk } from '../support/cli.js'
import type { ServedFolders } from '../support/http-folders.js'
import { CACHE, WORK } from '../support/paths.js'

const missing = missingForAlpine(true)
if (missing !== undefined) console.warn(`skipped: ${missing} is not there`)

describe.skipIf(missing !== undefined)('an Alpine image that became a machine with a stand-in kernel', () => {
  let folder = ''
  let image = ''
  let disk = ''
  let repositories: ServedFolders
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'roundtrip-'))
    repositories = await serveRepositories()
    image = `oci:${await alpineImage(folder, '3.19.4', repositories.urls)}`
    disk = join(folder, 'machine.vdi')
    const flags = ['--bootloader', 'grub-pc', '--hostname', 'back', '--user', 'ann:sudo', '--timezone', 'Asia/Tokyo']
    await c2mOk(['container2vm', image, '-o', disk, ...flags])
  })
  afterAll(async () => {
    await repositories[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('comes back with its own files unchanged in every attribute', () => comesBack(image, disk, folder))

  it('is a small image without what only a machine needs, with OpenRC for whoever wants it', async () => {
    const tar = join(folder, 'clean.tar')
    await c2mOk(['vm2container', disk, '-o', `tarball:${tar}`])
    console.log(
      `the disk of Alpine 3.19: ${mib((await stat(disk)).size)}, as a container again: ${mib((await stat(tar)).size)}`,
    )
    await using after = await archiveRootfs(await indexLayer(tar))
    for (const path of ['boot', 'lib/modules', 'var/cache/apk', 'etc/runlevels/sysinit']) {
      expect(await after.list(path)).toEqual([])
    }
    expect(await after.list('etc/runlevels/boot')).toEqual(['bootmisc', 'hostname', 'syslog'])
    expect(await after.list('etc/runlevels/default')).toEqual(['crond'])
    expect(await after.stat('lib/apk/db/installed')).toBeDefined()
  })

  it('becomes a machine again from that small image, with what is missing brought back', async () => {
    const tar = join(folder, 'container.tar')
    const deleted = ['etc/init.d/hwdrivers', 'etc/init.d/hwclock']
    const without = deleted.flatMap((path) => ['--exclude', `/${path}`])
    await c2mOk(['vm2container', disk, '-o', `tarball:${tar}`, '--init', 'openrc', ...without])
    const again = join(folder, 'again.qcow2')
    await c2mOk(['container2vm', `tarball:${tar}`, '-o', again, '--bootloader', 'grub-pc', '--hostname', 'again'])
    const back = join(folder, 'again.tar')
    await c2mOk(['vm2container', again, '-o', `tarball:${back}`, '--keep', 'all'])
    await using machine = await archiveRootfs(await indexLayer(back))
    for (const path of [...deleted, 'boot/vmlinuz-virt', 'boot/initramfs-virt', 'etc/runlevels/sysinit/hwdrivers']) {
      expect(await machine.stat(path), path).toBeDefined()
    }
    expect(await readText(machine, 'etc/rc.conf')).not.toMatch(/^rc_(?:sys|provide)=/m)
    expect((await readText(machine, 'etc/inittab'))?.match(/^tty(?:[1-6]|S0)::respawn:/gm)).toHaveLength(7)
  })
})

describe.skipIf(missing !== undefined)('an Alpine 3.9 image that became a machine with nothing but stand-ins', () => {
  it('comes back with its own files unchanged in every attribute', async () => {
    const folder = await mkdtemp(join(WORK, 'roundtrip-'))
    const own = await standInsOf39(folder)
    await using repositories = await serveRepositories({ '3.9': own, 'stand-ins': await standIns() })
    try {
      const layout = await alpineImage(folder, '3.9.6', repositories.urls, [own, await standIns()])
      const disk = join(folder, 'machine.qcow2')
      const { stderr } = await c2mOk(['container2vm', `oci:${layout}`, '-o', disk, '--bootloader', 'grub-pc'])
      expect(stderr).toContain('Alpine Linux 3.9 has had no updates since 2020-11-01')
      await comesBack(`oci:${layout}`, disk, folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

async function comesBack(image: string, disk: string, folder: string): Promise<void> {
  const tar = join(folder, 'back.tar')
  await c2mOk(['vm2container', disk, '-o', `tarball:${tar}`, '--only-original', '--keep', 'all', '--devices'])
  await using original = await openImage(image, { cache: CACHE })
  await using before = await original.rootfs()
  await using after = await archiveRootfs(await indexLayer(tar))
  expect(await compareRootfs(before, after)).toEqual([])
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}
