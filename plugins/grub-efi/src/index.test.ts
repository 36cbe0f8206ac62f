import type { BootloaderPlugin, BootTask, DiskPlan, DistroTraits, Step } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import plugin, { plugin as named } from './index.js'
import { osFolder } from './steps.js'

const grub = plugin.contributes[0] as BootloaderPlugin
const traits: DistroTraits = {
  init: 'systemd',
  packageManager: 'apt',
  kernels: [],
  bootloaders: [],
  ext4Features: [],
  packageCaches: [],
}
const disk: DiskPlan = {
  table: 'gpt',
  id: 'aaaaaaaa-0000-4000-8000-000000000000',
  partitions: [
    {
      role: 'esp',
      number: 1,
      firstLba: 2048,
      size: 1 << 26,
      mountpoint: '/boot/efi',
      uuid: 'ABCD-1234',
      partuuid: 'b',
    },
    { role: 'root', number: 2, firstLba: 1 << 18, size: 1 << 30, mountpoint: '/', uuid: 'aaaa-bbbb', partuuid: 'c' },
  ],
}
const task: BootTask = {
  architecture: 'amd64',
  packageManager: 'apt',
  members: ['grub-efi'],
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
    expect(plugin).toMatchObject({ name: '@c2m/plugin-grub-efi', apiVersion: 1 })
    expect(grub).toMatchObject({
      id: 'grub-efi',
      family: 'grub',
      firmware: ['uefi'],
      architectures: ['386', 'amd64', 'arm64'],
    })
  })

  it('supports machines and package managers that it knows', () => {
    const target = { table: 'mbr', architecture: 'arm64', physical: false } as const
    expect(grub.supports(target, traits)).toEqual({ ok: true })
    expect(grub.supports({ ...target, architecture: 'constructor' }, traits)).toMatchObject({ ok: false })
    expect(grub.supports(target, { ...traits, packageManager: 'dnf' })).toMatchObject({
      ok: false,
      because: expect.stringContaining('dnf') as string,
    })
  })

  it('wants a larger EFI system partition on a computer', () => {
    const target = { table: 'gpt', architecture: 'amd64' } as const
    const esp = { role: 'esp', mountpoint: '/boot/efi' }
    expect(grub.partitions({ ...target, physical: false })).toEqual([{ ...esp, size: 64 << 20 }])
    expect(grub.partitions({ ...target, physical: true })).toEqual([{ ...esp, size: 512 << 20 }])
  })

  it.each([
    ['amd64', ['grub-efi'], ['grub-efi-amd64']],
    ['amd64', ['grub-pc', 'grub-efi'], ['grub-efi-amd64-bin']],
    ['arm64', ['grub-efi'], ['grub-efi-arm64']],
    ['386', ['grub-efi', 'grub-pc'], ['grub-efi-ia32-bin']],
    ['riscv64', ['grub-efi'], []],
  ])("names apt's packages for %s with %j", (architecture, members, packages) => {
    expect(grub.packages({ packageManager: 'apt', architecture, members })).toEqual(packages)
  })
})

describe('its steps', () => {
  it('are these, with unique ids', () => {
    expect(ids(task)).toEqual([
      'grub-efi/modules',
      'grub-efi/folders',
      'grub-efi/removable',
      'grub-efi/installed',
      'grub-efi/debconf',
      'grub/defaults',
      'grub/environment',
      'grub/menu',
      'grub-efi/removable-configuration',
      'grub-efi/installed-configuration',
    ])
  })

  it('leave the shared part and the package to GRUB for BIOS when that is there', () => {
    const both = ids({ ...task, members: ['grub-efi', 'grub-pc'] })
    expect(both.filter((id) => id.startsWith('grub/') || id.endsWith('debconf'))).toEqual([])
  })

  it('build both programs, each looking beside itself', () => {
    const programs = grub
      .install(task)
      .flatMap((step) => (step.do === 'exec' && step.argv[0] === 'grub-mkimage' ? [step.argv] : []))
    expect(programs.map((argv) => argv.slice(2, 9))).toEqual([
      ['x86_64-efi', '-d', '/usr/lib/grub/x86_64-efi', '-o', '/boot/efi/EFI/BOOT/BOOTX64.EFI', '-p', '/EFI/BOOT'],
      ['x86_64-efi', '-d', '/usr/lib/grub/x86_64-efi', '-o', '/boot/efi/EFI/example/grubx64.efi', '-p', '/EFI/example'],
    ])
  })

  it('keep what differs between machines out of the package phase', () => {
    const cached = (candidate: BootTask) =>
      JSON.stringify(grub.install(candidate).filter(({ phase }) => phase === 'packages'))
    const other = { ...disk, partitions: disk.partitions.map((partition) => ({ ...partition, uuid: 'ffff' })) }
    expect(cached({ ...task, disk: other, cmdline: ['x'], consoles: [], osName: 'Other', timeout: 9 })).toBe(
      cached(task),
    )
  })

  it('redirect to the root by its UUID', async () => {
    for (const id of ['grub-efi/removable-configuration', 'grub-efi/installed-configuration']) {
      expect(await content(grub.install(task), id)).toContain('--hint="$disk," aaaa-bbbb\n')
    }
  })

  it('never drive a serial port that belongs to the firmware', async () => {
    expect(await content(grub.install(task), 'grub/defaults')).not.toContain('serial')
  })

  it('fail early without an EFI system partition or for an unknown machine', () => {
    const without = { ...disk, partitions: disk.partitions.slice(1) }
    expect(() => grub.install({ ...task, disk: without })).toThrow(expect.objectContaining({ code: 'C2M_GRUB_NO_ESP' }))
    expect(() => grub.install({ ...task, architecture: 'toString' })).toThrow(
      expect.objectContaining({ code: 'C2M_GRUB_ARCHITECTURE' }),
    )
  })
})

describe('osFolder', () => {
  it.each([
    ['debian', 'debian'],
    ['opensuse-leap', 'opensuse-leap'],
    ['boot', 'linux'],
    ['../x', 'linux'],
    ['', 'linux'],
    ['Grub', 'linux'],
    ['a'.repeat(33), 'linux'],
    ['x\n', 'linux'],
  ])('of %j is %s', (id, folder) => {
    expect(osFolder(id)).toBe(folder)
  })
})

function ids(candidate: BootTask): string[] {
  return grub.install(candidate).map(({ id }) => id)
}

async function content(steps: readonly Step[], id: string): Promise<unknown> {
  const step = steps.find((candidate) => candidate.id === id)
  if (step?.do !== 'write') throw new Error(`no write step ${id}`)
  const context = {
    disk,
    signal: new AbortController().signal,
    warn: () => undefined,
    random: () => new Uint8Array(),
    places: new Map(),
    get rootfs(): never {
      throw new Error('not asked for')
    },
  }
  return typeof step.content === 'function' ? step.content(context) : step.content
}
