import { describe, expect, it } from 'vitest'
import { MIB, plan, random, requests } from '../testing/plans.js'
import { guidFromBytes, guidToBytes } from './guid.js'
import { diskSize, partitionRange } from './layout.js'
import { planDisk } from './plan.js'

describe('planDisk', () => {
  it('orders, numbers and places the partitions, the root last', () => {
    const { partitions, id } = plan('gpt', ['root', 'swap', 'esp', 'bios-boot', 'boot'])
    expect(partitions.map(({ number, role, firstLba }) => [number, role, firstLba])).toEqual([
      [1, 'bios-boot', 2048],
      [2, 'esp', 4096],
      [3, 'boot', 4096 + 64 * 2048],
      [4, 'swap', 4096 + 96 * 2048],
      [5, 'root', 4096 + 112 * 2048],
    ])
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    expect(id).toMatch(uuid)
    for (const { partuuid } of partitions) expect(partuuid).toMatch(uuid)
    expect(partitions.map(({ filesystem, label }) => [filesystem, label])).toEqual([
      [undefined, undefined],
      ['vfat', 'EFI'],
      ['ext4', 'boot'],
      ['swap', 'swap'],
      ['ext4', 'root'],
    ])
    expect(partitions[0]?.uuid).toBeUndefined()
    expect(partitions[1]?.uuid).toMatch(/^[0-9A-F]{4}-[0-9A-F]{4}$/)
    expect(partitions[4]?.uuid).toMatch(uuid)
    expect(new Set(partitions.flatMap(({ uuid: own, partuuid }) => [own, partuuid])).size).toBe(10)
  })

  it('gives the same plan for the same random bytes', () => {
    expect(plan('gpt', ['esp', 'root'])).toEqual(plan('gpt', ['root', 'esp']))
  })

  it('has MBR identifiers and no BIOS boot partition on MBR', () => {
    const { partitions, id } = plan('mbr', ['bios-boot', 'swap', 'root'])
    expect(id).toMatch(/^[0-9a-f]{8}$/)
    expect(partitions.map(({ role, partuuid }) => [role, partuuid])).toEqual([
      ['swap', `${id}-01`],
      ['root', `${id}-02`],
    ])
    const zero = planDisk({ table: 'mbr', requests: [requests.root], random: (_, length) => new Uint8Array(length) })
    expect(zero.id).toBe('00000001')
  })

  it('refuses what a disk cannot have', () => {
    const attempt =
      (table: 'gpt' | 'mbr', ...list: { role: 'esp' | 'root' | 'boot' | 'swap'; size: number }[]) =>
      () =>
        planDisk({ table, requests: list, random })
    const { esp, root } = requests
    expect(attempt('gpt', { role: 'esp', size: MIB }, { role: 'esp', size: MIB }, { role: 'root', size: 0 })).toThrow(
      /more than once/,
    )
    expect(attempt('gpt', { role: 'esp', size: 0 }, { role: 'root', size: 0 })).toThrow(/no multiple of 1 MiB/)
    expect(attempt('gpt', { role: 'esp', size: MIB + 1 }, { role: 'root', size: 0 })).toThrow(/no multiple of 1 MiB/)
    expect(attempt('gpt', { role: 'esp', size: MIB })).toThrow(/no root/)
    expect(() => planDisk({ table: 'mbr', requests: [esp, requests.boot, requests.swap, root], random })).not.toThrow()
  })
})

describe('partitionRange and diskSize', () => {
  it.each(['gpt', 'mbr'] as const)('leave the root what was asked for and GPT its end (%s)', (table) => {
    const disk = plan(table, ['esp', 'root'])
    for (const rootBytes of [1, MIB, 10 * MIB, 10 * MIB + 0.25]) {
      const size = diskSize(disk, rootBytes)
      const root = partitionRange(disk, size, 'root')
      expect(size % MIB).toBe(0)
      expect(root.offset).toBe(65 * MIB)
      expect(root.size).toBe(Math.ceil(rootBytes / MIB) * MIB)
      expect(size - root.offset - root.size).toBe(table === 'gpt' ? MIB : 0)
    }
    expect(partitionRange(disk, 10 ** 9, 'esp')).toEqual({ offset: MIB, size: 64 * MIB })
  })

  it('refuse a disk without room, a role that is not there, and 2 TiB on MBR', () => {
    const disk = plan('mbr', ['root'])
    expect(() => partitionRange(disk, MIB, 'root')).toThrow(/no room/)
    expect(() => partitionRange(disk, 2 * MIB, 'swap')).toThrow(/no swap partition/)
    expect(() => partitionRange(disk, 2 ** 41 + MIB, 'root')).toThrow(/2 TiB/)
    expect(() => partitionRange(plan('gpt', ['root']), 2 * MIB, 'root')).toThrow(/no room/)
  })
})

describe('GUIDs', () => {
  it('are stored as in the UEFI specification', () => {
    const bytes = guidToBytes('C12A7328-F81F-11D2-BA4B-00A0C93EC93B')
    expect(Buffer.from(bytes).toString('hex')).toBe('28732ac11ff8d211ba4b00a0c93ec93b')
    expect(guidFromBytes(bytes)).toBe('c12a7328-f81f-11d2-ba4b-00a0c93ec93b')
    expect(() => guidToBytes('c12a7328')).toThrow(RangeError)
  })
})
