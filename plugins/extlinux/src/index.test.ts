import type {
  BootloaderPlugin,
  BootTask,
  DiskPlan,
  DistroTraits,
  FilePlace,
  PlannedPartition,
  Step,
  StepContext,
} from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import plugin, { plugin as named } from './index.js'
import { imageSum, loaderImage } from './testing/loader-image.js'

const extlinux = plugin.contributes[0] as BootloaderPlugin
const traits: DistroTraits = {
  init: 'systemd',
  packageManager: 'apt',
  kernels: [],
  bootloaders: [],
  ext4Features: [],
  packageCaches: [],
}
const root: PlannedPartition = {
  role: 'root',
  number: 1,
  firstLba: 2048,
  size: 1 << 30,
  mountpoint: '/',
  filesystem: 'ext4',
  uuid: 'aaaa-bbbb',
  partuuid: 'c',
}
const disk: DiskPlan = { table: 'gpt', id: 'x', partitions: [root] }
const ownBoot: DiskPlan = {
  ...disk,
  table: 'mbr',
  partitions: [
    { ...root, role: 'boot', mountpoint: '/boot' },
    { ...root, number: 2, firstLba: 9000 },
  ],
}
const task: BootTask = {
  architecture: 'amd64',
  packageManager: 'apt',
  members: ['extlinux'],
  disk,
  cmdline: [],
  consoles: ['ttyS0'],
  osName: 'Example',
  osId: 'example',
  timeout: 5,
  kernels: () => Promise.resolve([]),
}

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

  it('keep what differs between machines out of the package phase', () => {
    const cached = (candidate: BootTask) =>
      JSON.stringify(extlinux.install(candidate).filter(({ phase }) => phase === 'packages'))
    const partitions = [{ ...root, uuid: 'ffff', partuuid: 'other' }]
    const other = { ...task, disk: { ...disk, id: 'other', partitions }, cmdline: ['x'], consoles: [], osName: 'Other' }
    expect(cached(other)).toBe(cached(task))
    for (const packageManager of ['apt', 'apk'])
      expect(cached({ ...other, packageManager })).toBe(cached({ ...task, packageManager }))
  })

  it('fail early on a disk that cannot hold it', () => {
    const withPartitions = (partitions: DiskPlan['partitions']) => () =>
      extlinux.install({ ...task, disk: { ...disk, partitions } })
    expect(withPartitions([])).toThrow(expect.objectContaining({ code: 'C2M_EXTLINUX_NO_ROOT' }))
    expect(withPartitions([{ ...root, role: 'esp', filesystem: 'vfat', mountpoint: '/boot' }, root])).toThrow(
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
  const boot = new Uint8Array(512)
  boot.set([0x55, 0xaa], 510)
  const files: Readonly<Record<string, Uint8Array>> = {
    'boot/extlinux/ldlinux.sys': loaderImage(),
    'boot/extlinux/bootsector.bin': boot,
    'boot/extlinux/mbr.bin': new Uint8Array(440),
  }
  const context = {
    disk: ownBoot,
    signal: new AbortController().signal,
    warn: () => undefined,
    random: () => new Uint8Array(),
    places: new Map(place === undefined ? [] : [['/boot/extlinux/ldlinux.sys', place]]),
    rootfs: {
      resolve: (path: string) => Promise.resolve(path),
      stat: (path: string) => Promise.resolve({ type: 'file', size: files[path]?.length }),
      stream: async function* (path: string) {
        yield { offset: 0, data: files[path] }
      },
    },
  } as unknown as StepContext
  return found.bytes(context)
}
