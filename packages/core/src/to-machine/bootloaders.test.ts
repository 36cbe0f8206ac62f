import type { BootTarget, DistroTraits, Firmware } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { PluginRegistry } from '../plugins/registry.js'
import { chooseBootloaders } from './bootloaders.js'

const nothing = () => []
const loader = (id: string, firmware: Firmware, tables: readonly string[], family?: string) => ({
  ...{ kind: 'bootloader', id, summary: id, family, firmware: [firmware], architectures: ['amd64'] },
  ...{ partitions: nothing, packages: nothing, install: nothing },
  supports: ({ table }: BootTarget) =>
    tables.includes(table) ? { ok: true } : { ok: false, because: `not from ${table}`, hint: 'take the other' },
})
const contributes = [
  loader('both-pc', 'bios', ['gpt', 'mbr'], 'both'),
  loader('both-efi', 'uefi', ['gpt', 'mbr'], 'both'),
  loader('modern', 'uefi', ['gpt']),
]
const registry = (list: readonly object[]) =>
  new PluginRegistry([
    {
      ...{ packageName: 'x', packageVersion: '1', origin: 'library', from: '' },
      exported: { name: 'x', apiVersion: 1, contributes: list },
    },
  ])
const traits = { bootloaders: ['modern', 'both'] } as unknown as DistroTraits
const target = (table: 'gpt' | 'mbr') => ({ table, architecture: 'amd64', physical: false })

function choose(wish: { bootloader?: string; firmware?: Firmware }, table: 'gpt' | 'mbr' = 'gpt', list = contributes) {
  return chooseBootloaders(wish, target(table), traits, registry(list)).map(({ contribution }) => contribution.id)
}

describe('chooseBootloaders', () => {
  it('takes the first of the list that can do the target', () => {
    expect(choose({})).toEqual(['modern'])
    expect(choose({}, 'mbr')).toEqual(['both-pc', 'both-efi'])
    expect(choose({ firmware: 'bios' })).toEqual(['both-pc'])
  })

  it('takes of a family the members that can', () => {
    expect(choose({ bootloader: 'both' })).toEqual(['both-pc', 'both-efi'])
    expect(choose({ bootloader: 'both', firmware: 'uefi' })).toEqual(['both-efi'])
  })

  it.each([
    ['for its table', () => choose({ bootloader: 'modern' }, 'mbr'), /modern: not from mbr \(take the other\)$/],
    [
      'for its firmware',
      () => choose({ bootloader: 'modern', firmware: 'bios' }),
      /modern: it starts under uefi only$/,
    ],
  ])('refuses one %s', (_what, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'C2M_BOOTLOADER_UNSUPPORTED' }))
    expect(call).toThrow(message)
  })

  it('says what would work', () => {
    const hint = (text: string) => expect.objectContaining({ hint: expect.stringContaining(text) as string }) as Error
    expect(() => choose({ bootloader: 'modern' }, 'mbr')).toThrow(hint('--bootloader both-pc, both-efi'))
    expect(() => choose({ bootloader: 'modern' }, 'mbr', contributes.slice(2))).toThrow(
      hint('with --partition-table gpt these can: modern'),
    )
    expect(() => choose({ bootloader: 'modern', firmware: 'bios' }, 'gpt', contributes.slice(2))).toThrow(
      hint('add one'),
    )
  })
})
