import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openImage } from '@c2m/image'
import { archiveRootfs, compareRootfs, indexLayer } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'
import { CACHE, WORK } from '../support/paths.js'

describe('an image that became a machine', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'roundtrip-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('comes back with its own files unchanged in every attribute', async () => {
    const image = `oci:${await debian12()}`
    const disk = join(folder, 'machine.vdi')
    const tar = join(folder, 'back.tar')
    await c2mOk([
      'container2vm',
      image,
      '-o',
      disk,
      '--kernel',
      'cloud',
      '--hostname',
      'back',
      '--timezone',
      'Asia/Tokyo',
    ])
    const flags = ['--only-original', '--keep', 'all', '--devices']
    const { stderr } = await c2mOk(['vm2container', disk, '-o', `tarball:${tar}`, ...flags])
    await using original = await openImage(image, { cache: CACHE })
    await using before = await original.rootfs()
    await using after = await archiveRootfs(await indexLayer(tar))
    // files that were too large to be kept twice are named instead
    const named = (path: string) => stderr.includes(`  /${path}\n`)
    const differences = await compareRootfs(before, after)
    expect(differences.filter(({ path }) => !named(path))).toEqual([])
    expect(differences.length).toBeLessThan(5)
  })

  it('becomes a machine again when it was stripped to a container in between', async () => {
    const image = `docker-archive:${join(folder, 'container.tar')}`
    const disk = join(folder, 'machine.vdi')
    await c2mOk(['vm2container', disk, '-o', image])
    const again = ['container2vm', image, '-o', join(folder, 'again.qcow2'), '--kernel', 'cloud', '--verify']
    const { stdout } = await c2mOk([...again, '--bootloader', 'grub-efi', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ verified: [{ firmware: 'uefi' }] })
  })
})
