import type { BootloaderPlugin, DiskPlan, FilePlace, Step } from '@c2m/plugin-api'
import { bootloaderContract, bootTask, diskPlan, distroTraits, stepContext, treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import plugin, { plugin as named } from './index.js'
import { imageSum, loaderImage } from './testing/loader-image.js'

const extlinux = plugin.contributes[0] as BootloaderPlugin
const traits = distroTraits()
const ownBoot = diskPlan('mbr', [{ role: 'boot', size: 1 << 28, mountpoint: '/boot' }])
const task = bootTask({ members: ['extlinux'] })

/** What the guest's package and its installer leave. */
const FILES = {
  ...{ 'boot/extlinux/ldlinux.sys': loaderImage(), 'boot/extlinux/ldlinux.c32': 'core' },
  'boot/extlinux/bootsector.bin': Uint8Array.from([...new Uint8Array(510), 0x55, 0xaa]),
  ...{ 'usr/lib/EXTLINUX/mbr.bin': new Uint8Array(440), 'usr/lib/EXTLINUX/gptmbr.bin': new Uint8Array(440) },
  ...{ 'usr/share/syslinux/menu.c32': 'menu', 'usr/share/syslinux/libutil.c32': 'util' },
}

describe('the contract', () => {
  it.each(bootloaderContract(plugin, { files: FILES }))('$name', ({ check }) => check())
})

describe('the plugin', () => {
  it('is found by both names', () => {
    expect(named).toBe(plugin)
    expect(plugin).toMatchObject({ name: '@c2m/plugin-extlinux', apiVersion: 1 })
    expect(extlinux).toMatchObject({ id: 'extlinux', firmware: ['bios'], unreadableExt4Features: ['64bit'] })
  })

  it('supports PCs, whatever their package manager', () => {
    const target = { table: 'gpt', architecture: 'amd64', physical: false } as const
    expect(extlinux.supports(target, traits)).toEqual({ ok: true })
    expect(extlinux.supports({ ...target, architecture: '386' }, { ...traits, packageManager: 'none' })).toEqual({
      ok: true,
    })
    expect(extlinux.supports({ ...target, architecture: 'arm64' }, traits)).toMatchObject({ ok: false })
    expect(extlinux.partitions(target)).toEqual([])
  })

  it('names packages', () => {
    expect(extlinux.packages(task)).toEqual(['extlinux', 'syslinux', 'syslinux-common'])
    expect(extlinux.packages({ ...task, packageManager: 'apk' })).toEqual(['syslinux'])
    expect(extlinux.packages({ ...task, packageManager: 'constructor' })).toEqual([])
  })

  it('is recognised by its loader', async () => {
    const found = (path: string) => {
      const rootfs = { stat: (name: string) => Promise.resolve(name === path ? { type: 'file' } : undefined) }
      return extlinux.recognize?.({ bootSector: new Uint8Array(512), rootfs: rootfs as never })
    }
    expect(await found('boot/extlinux/ldlinux.sys')).toBe('its loader is /boot/extlinux/ldlinux.sys')
    expect(await found('boot/grub/grub.cfg')).toBeUndefined()
  })
})

describe('its steps', () => {
  const idsFor = (packageManager: string) => extlinux.install({ ...task, packageManager }).map(({ id }) => id)

  it('are these', () => {
    expect(idsFor('apt')).toEqual([
      'extlinux/loader',
      'extlinux/files',
      'extlinux/menu',
      'extlinux/updater',
      'extlinux/hook/etc/kernel/postinst.d/zz-c2m-extlinux',
      'extlinux/hook/etc/kernel/postrm.d/zz-c2m-extlinux',
      'extlinux/boot-code',
      'extlinux/boot-sector',
      'extlinux/loader-sectors',
    ])
    expect(idsFor('none')[0]).toBe('extlinux/files')
  })

  it('fail early on a disk that cannot hold it', () => {
    const on = (disk: DiskPlan) => () => extlinux.install({ ...task, disk })
    expect(on({ ...task.disk, partitions: [] })).toThrow(expect.objectContaining({ code: 'C2M_EXTLINUX_NO_ROOT' }))
    expect(on(diskPlan('gpt', [{ role: 'esp', size: 1 << 26, mountpoint: '/boot' }]))).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_FILESYSTEM' }),
    )
  })

  it('write boot sector and loader where the loader lies', async () => {
    const place: FilePlace = { partition: 'boot', extents: [{ at: 0, offset: 40960, length: 4096 }] }
    const steps = extlinux.install({ ...task, disk: ownBoot })
    expect(step(steps, 'extlinux/boot-sector')).toMatchObject({ where: { partition: 'boot', offset: 0 } })
    const boot = Buffer.from(await bytes(steps, 'extlinux/boot-sector', place))
    expect([boot.readUInt32LE(0x1c), boot.readUInt32LE(0x11a)]).toEqual([2048, 80])
    const loader = await bytes(steps, 'extlinux/loader-sectors', place)
    expect(imageSum(loader)).toBe(0x3eb202fe)
    expect(Buffer.from(loader).includes('/extlinux\0')).toBe(true)
    expect(Buffer.from(loader).includes('/boot/extlinux')).toBe(false)
    expect(await bytes(steps, 'extlinux/boot-code', place)).toHaveLength(440)
  })

  it('say when the loader is not where it would be started from', async () => {
    const steps = extlinux.install(task)
    await expect(bytes(steps, 'extlinux/loader-sectors', undefined)).rejects.toMatchObject({
      code: 'C2M_EXTLINUX_PLACE',
    })
  })
})

function step(steps: readonly Step[], id: string): Step {
  const found = steps.find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error(`no step ${id}`)
  return found
}

async function bytes(steps: readonly Step[], id: string, place: FilePlace | undefined): Promise<Uint8Array> {
  const found = step(steps, id)
  if (found.do !== 'writeBlocks' || typeof found.bytes !== 'function') throw new Error(`${id} computes no bytes`)
  const tree = await treeOf({ ...FILES, 'boot/extlinux/mbr.bin': new Uint8Array(440) })
  const places = new Map(place === undefined ? [] : [['/boot/extlinux/ldlinux.sys', place]])
  return found.bytes(stepContext(tree, ownBoot, { places }))
}
