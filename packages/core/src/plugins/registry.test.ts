import { describe, expect, it } from 'vitest'
import { PluginRegistry, type FoundPlugin } from './registry.js'

const nothing = () => []
const distro = (id: string) => ({
  kind: 'distro',
  id,
  summary: id,
  detect: nothing,
  traits: nothing,
  toMachine: nothing,
  install: nothing,
  kernels: nothing,
})
const bootloader = (id: string, family?: string) => ({
  kind: 'bootloader',
  id,
  family,
  summary: id,
  firmware: ['bios'],
  architectures: ['amd64'],
  supports: nothing,
  partitions: nothing,
  packages: nothing,
  install: nothing,
})
const found = (packageName: string, ...contributes: object[]): FoundPlugin => ({
  packageName,
  packageVersion: '1.0.0',
  origin: 'library',
  from: 'test',
  exported: { name: packageName, apiVersion: 1, contributes },
})

describe('the plugin registry', () => {
  it('finds contributions by id, and boot loaders by family', () => {
    const registry = new PluginRegistry([
      found('b', bootloader('grub-pc', 'grub'), bootloader('grub-efi', 'grub')),
      found('a', distro('debian'), bootloader('lilo')),
    ])
    expect(registry.loaded.map(({ packageName }) => packageName)).toEqual(['a', 'b'])
    expect(registry.distro('debian').packageName).toBe('a')
    expect(registry.loaded[1]?.contributes[0]).toEqual({
      ...{ kind: 'bootloader', id: 'grub-pc', summary: 'grub-pc', family: 'grub' },
      ...{ firmware: ['bios'], architectures: ['amd64'] },
    })
    const ids = (name: string) => registry.bootloaderOrFamily(name).map(({ contribution }) => contribution.id)
    expect(ids('grub')).toEqual(['grub-pc', 'grub-efi'])
    expect(ids('lilo')).toEqual(['lilo'])
  })

  it('says what is known when an id is not', () => {
    const registry = new PluginRegistry([found('a', bootloader('grub-pc', 'grub'))])
    expect(() => registry.bootloaderOrFamily('lilo')).toThrow(/no plugin contributes the bootloader 'lilo'/)
  })

  it('uses neither side of a duplicate, names both, and lets an override choose', () => {
    const both = [found('a', distro('debian')), found('b', distro('debian'), distro('void'))]
    const registry = new PluginRegistry(both)
    expect(registry.duplicates).toEqual([{ id: 'debian', packageNames: ['a', 'b'] }])
    expect(registry.distros().map(({ contribution }) => contribution.id)).toEqual(['void'])
    expect(() => registry.distro('debian')).toThrow(/a, b/)
    const chosen = new PluginRegistry(both, { debian: 'b' })
    expect(chosen.distro('debian').packageName).toBe('b')
    expect(chosen.duplicates).toEqual([])
  })

  it('keeps a broken plugin by name with its cause', () => {
    const registry = new PluginRegistry([
      { packageName: 'x', packageVersion: '1', origin: 'linked', from: 'test', failure: new Error('boom') },
      found('y', { ...distro('debian'), traits: 1 }),
      found('z', distro('Not An Id')),
      found('command', { ...bootloader('lilo'), diskCommands: ['../lilo'] }),
      found('way-back', { ...distro('gentoo'), toImage: true }),
      found('good', distro('void')),
    ])
    expect(registry.broken.map(({ packageName, because }) => `${packageName}: ${because}`)).toEqual([
      `command: contributes[0]: lilo: "diskCommands" is not a list of programs' names`,
      'way-back: contributes[0]: gentoo: "toImage" is not a function',
      'x: boom',
      'y: contributes[0]: debian: "traits" is not a function',
      `z: contributes[0]: its id is "Not An Id"; an id is lower-case letters, digits, '.', '_' and '-'`,
    ])
    expect(registry.distros()).toHaveLength(1)
  })
})
