import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bootCode, bootSector } from './boot-sector.js'

const layout = { firstSector: [0x11a, 0x120] } as const

function image(): Uint8Array {
  const bytes = new Uint8Array(512).fill(0x11)
  bytes.set([0x55, 0xaa], 510)
  return bytes
}

describe('bootSector', () => {
  it('changes parameters and sector number only', () => {
    const expected = Buffer.from(image()).fill(0, 0x0b, 0x5a)
    expected.writeUInt16LE(512, 0x0b)
    expected.writeUInt16LE(63, 0x18)
    expected.writeUInt16LE(255, 0x1a)
    expected.writeUInt32LE(2048, 0x1c)
    expected.writeUInt32LE(0x12345678, 0x11a)
    expected.writeUInt32LE(1, 0x120)
    expect(Buffer.from(bootSector(image(), layout, 0x112345678, 2048))).toEqual(expected)
  })

  it('holds any sector, and leaves its input alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.nat(0xffffffff), (sector, lba) => {
        const input = Buffer.from(image())
        const view = Buffer.from(bootSector(input, layout, sector, lba))
        expect(view.readUInt32LE(0x11a) + view.readUInt32LE(0x120) * 2 ** 32).toBe(sector)
        expect(view.readUInt32LE(0x1c)).toBe(lba)
        expect(input).toEqual(Buffer.from(image()))
      }),
    )
  })

  it.each([
    ['another length', new Uint8Array(513), layout],
    ['no signature', image().fill(0, 510), layout],
    ['a sector number among the parameters', image(), { firstSector: [0x10, 0x120] }],
    ['a sector number over the signature', image(), { firstSector: [0x11a, 0x1fc] }],
    ['halves that overlap', image(), { firstSector: [0x11a, 0x11c] }],
  ] as const)('refuses %s', (_what, bytes, place) => {
    expect(() => bootSector(bytes, place, 1, 1)).toThrow(expect.objectContaining({ code: 'C2M_EXTLINUX_BOOT_SECTOR' }))
  })
})

describe('bootCode', () => {
  it('ends before the disk signature', () => {
    expect(bootCode(new Uint8Array(440), 'mbr.bin')).toHaveLength(440)
    for (const size of [0, 441]) {
      expect(() => bootCode(new Uint8Array(size), 'mbr.bin')).toThrow(
        expect.objectContaining({ code: 'C2M_EXTLINUX_BOOT_CODE' }),
      )
    }
  })
})
