import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadExtents, sectorsOf } from './sectors.js'

const BLOCK = 4096

describe('sectorsOf', () => {
  it('counts sectors, up to the end of the file inside its last block', () => {
    const extents = [
      { at: 0, offset: 10 * BLOCK, length: BLOCK },
      { at: BLOCK, offset: 3 * BLOCK, length: BLOCK },
    ]
    expect(sectorsOf('/f', { extents }, BLOCK + 1024)).toEqual([80, 81, 82, 83, 84, 85, 86, 87, 24, 25])
  })

  it.each([
    ['a hole', [{ at: BLOCK, offset: BLOCK, length: BLOCK }], 'hole before byte 4096'],
    ['a hole in its middle', [block(0, 1), block(2, 2)], 'hole before byte 8192'],
    ['an end that is missing', [block(0, 1)], '8 sectors for 12288 bytes'],
    ['no place at all', [], '0 sectors'],
    ['half sectors', [{ at: 0, offset: 100, length: BLOCK }], 'not on whole sectors'],
    ['an odd length', [{ at: 0, offset: 0, length: 100 }], 'not on whole sectors'],
    ['a place before the partition', [{ at: 0, offset: -BLOCK, length: BLOCK }], 'not on whole sectors'],
    ['a piece of nothing', [{ at: 0, offset: 0, length: 0 }], 'not on whole sectors'],
  ])('refuses %s', (_what, extents, message) => {
    expect(() => sectorsOf('/f', { extents }, 3 * BLOCK)).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_PLACE', message: expect.stringContaining(message) as string }),
    )
  })
})

describe('loadExtents', () => {
  it('is one extent up to the end of the first 64 KiB of memory', () => {
    const sectors = Array.from({ length: 113 }, (_, index) => 1000 + index)
    expect(loadExtents(sectors)).toEqual([
      { lba: 1000, length: 63 },
      { lba: 1063, length: 50 },
    ])
  })

  it('lists every sector once, in order, in pieces that stay inside 64 KiB of memory and below it in size', () => {
    const runs = fc.array(fc.tuple(fc.nat(1 << 30), fc.integer({ min: 1, max: 300 })), { maxLength: 8 })
    fc.assert(
      fc.property(runs, (pieces) => {
        const sectors = pieces.flatMap(([lba, length]) => Array.from({ length }, (_, index) => lba + index))
        const extents = loadExtents(sectors)
        expect(extents.flatMap(({ lba, length }) => Array.from({ length }, (_, index) => lba + index))).toEqual(sectors)
        let address = 0x8200
        for (const { length } of extents) {
          const end = address + length * 512
          expect(length * 512).toBeLessThan(0x10000)
          expect(Math.floor((end - 1) / 0x10000)).toBe(Math.floor(address / 0x10000))
          address = end
        }
      }),
    )
  })
})

function block(index: number, at: number): { at: number; offset: number; length: number } {
  return { at: index * BLOCK, offset: at * BLOCK, length: BLOCK }
}
