import { bootloaderContract, bootTask, diskPlan, distroTraits } from '@c2m/testkit'
import type { BootloaderPlugin, Step } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import plugin, { plugin as named } from './index.js'
import { bootImage, coreFile } from './testing/images.js'

const grub = plugin.contributes[0] as BootloaderPlugin
const traits = distroTraits()
const gpt = diskPlan('gpt', [{ role: 'bios-boot', size: 1 << 20 }])
const mbr = diskPlan('mbr')
const task = bootTask({ members: ['grub-pc'], disk: gpt })

describe('the contract', () => {
  const folder = 'boot/grub/i386-pc'
  const files = { [`${folder}/boot.img`]: bootImage(), [`${folder}/core.img`]: coreFile(60_000) }
  it.each(bootloaderContract(plugin, { files }))('$name', ({ check }) => check())
})

describe('the plugin', () => {
  it('is found by both names', () => {
    expect(named).toBe(plugin)
    expect(plugin).toMatchObject({ name: '@c2m/plugin-grub-pc', apiVersion: 1 })
    expect(grub).toMatchObject({ id: 'grub-pc', family: 'grub', firmware: ['bios'] })
  })

  it('supports PCs whose package manager it knows', () => {
    const target = { table: 'gpt', architecture: 'amd64', physical: false } as const
    expect(grub.supports(target, traits)).toEqual({ ok: true })
    expect(grub.supports({ ...target, architecture: 'arm64' }, traits)).toMatchObject({
      ok: false,
      hint: 'use grub-efi',
    })
    expect(grub.supports(target, { ...traits, packageManager: 'toString' })).toMatchObject({ ok: false })
  })

  it('wants a partition on GPT only', () => {
    const target = { architecture: 'amd64', physical: false }
    expect(grub.partitions({ ...target, table: 'gpt' })).toEqual([{ role: 'bios-boot', size: 1 << 20 }])
    expect(grub.partitions({ ...target, table: 'mbr' })).toEqual([])
  })

  it('names packages', () => {
    expect(grub.packages(task)).toEqual(['grub-pc'])
    expect(grub.packages({ ...task, packageManager: 'apk' })).toEqual(['grub', 'grub-bios'])
    expect(grub.packages({ ...task, packageManager: 'constructor' })).toEqual([])
  })
})

describe('its steps', () => {
  it('are these', () => {
    const ids = grub.install(task).map(({ id }) => id)
    expect(ids).toEqual([
      'grub-pc/modules',
      'grub-pc/core',
      'grub-pc/debconf',
      'grub/defaults',
      'grub/environment',
      'grub/menu',
      'grub-pc/boot-sector',
      'grub-pc/core-sectors',
    ])
    expect(grub.install({ ...task, packageManager: 'apk' }).map(({ id }) => id)).not.toContain('grub-pc/debconf')
  })

  it('build a core image that depends on the partition alone', () => {
    expect(argv(grub.install(task), 'grub-pc/core').slice(0, 9)).toEqual([
      ...['grub-mkimage', '-O', 'i386-pc', '-d', '/usr/lib/grub/i386-pc'],
      ...['-o', '/boot/grub/i386-pc/core.img', '-p', '(,gpt2)/boot/grub'],
    ])
    expect(argv(grub.install({ ...task, disk: mbr }), 'grub-pc/core')).toContain('(,msdos1)/boot/grub')
  })

  it('put the core image behind the MBR or into its partition', () => {
    expect(grub.install(task).at(-1)).toMatchObject({ where: { partition: 'bios-boot', offset: 0 } })
    expect(grub.install({ ...task, disk: mbr }).at(-1)).toMatchObject({ where: { offset: 512 } })
  })

  it('fail early on a disk without room for GRUB', () => {
    const disk = { ...gpt, partitions: gpt.partitions.slice(1) }
    expect(() => grub.install({ ...task, disk })).toThrow(expect.objectContaining({ code: 'C2M_GRUB_NO_BIOS_BOOT' }))
  })

  it('write the settings where the package manager has its own place for them', () => {
    expect(find(grub.install(task), 'grub/defaults')).toMatchObject({ path: '/etc/default/grub.d/c2m.cfg' })
    const other = grub.install({ ...task, packageManager: 'apk' })
    expect(find(other, 'grub/defaults')).toMatchObject({ path: '/etc/default/grub' })
  })
})

function find(steps: readonly Step[], id: string): Step {
  const step = steps.find((candidate) => candidate.id === id)
  if (step === undefined) throw new Error(`no step ${id}`)
  return step
}

function argv(steps: readonly Step[], id: string): readonly string[] {
  const step = find(steps, id)
  return step.do === 'exec' ? step.argv : []
}
