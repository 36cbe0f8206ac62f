import type { BootloaderPlugin, BootTask, Step } from '@c2m/plugin-api'
import { bootloaderContract, bootTask, diskPlan, distroTraits, stepContext, treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import plugin, { plugin as named } from './index.js'
import { osFolder } from './steps.js'

const grub = plugin.contributes[0] as BootloaderPlugin
const traits = distroTraits()
const disk = diskPlan('gpt', [{ role: 'esp', size: 1 << 26, mountpoint: '/boot/efi' }])
const task = bootTask({ members: ['grub-efi'], disk })

describe('the contract', () => {
  it.each(bootloaderContract(plugin))('$name', ({ check }) => check())
})

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
  it('are these', () => {
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

  it('redirect to the root by its UUID', async () => {
    for (const id of ['grub-efi/removable-configuration', 'grub-efi/installed-configuration']) {
      expect(await content(grub.install(task), id)).toContain(`--hint="$disk," ${disk.partitions[1]?.uuid}\n`)
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
  return typeof step.content === 'function' ? step.content(stepContext(await treeOf(), disk)) : step.content
}
