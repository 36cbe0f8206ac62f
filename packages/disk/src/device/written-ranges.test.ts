import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRanges, pieces } from './compare.js'
import { writtenRanges } from './written-ranges.js'

const MIB = 2 ** 20

describe('the ranges of a device that are written', () => {
  it('are its beginning to the end of the last file system, and its end', () => {
    expect(writtenRanges(1000 * MIB + 512, 100 * MIB + 1)).toEqual({
      body: [{ offset: MIB, length: 100 * MIB }],
      ends: [
        { offset: 0, length: MIB },
        { offset: 996 * MIB + 512, length: 4 * MIB },
      ],
    })
  })

  it('lie in the device, do not overlap, and hold both ends and all that is in use', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 2 ** 22 }), fc.double({ min: 0, max: 1, noNaN: true }))
    fc.assert(
      fc.property(sizes, ([sectors, part]) => {
        const size = sectors * 512
        const end = Math.floor(size * part)
        const { body, ends } = writtenRanges(size, end)
        let reached = 0
        let gap = 0
        for (const { offset, length } of [...body, ...ends].sort((a, b) => a.offset - b.offset)) {
          expect(offset).toBeGreaterThanOrEqual(reached)
          if (offset > reached) expect((gap++, reached)).toBeGreaterThanOrEqual(end)
          expect(length).toBeGreaterThan(0)
          reached = offset + length
        }
        expect(gap).toBeLessThanOrEqual(1)
        expect(reached).toBe(size)
      }),
    )
  })

  it('are taken in pieces', () => {
    expect([...pieces([{ offset: 3, length: 5 }], 2)]).toEqual([
      { offset: 3, length: 2 },
      { offset: 5, length: 2 },
      { offset: 7, length: 1 },
    ])
  })
})

describe('reading back', () => {
  const range = { offset: 10, length: 9 * MIB }
  const bytes = Buffer.alloc(range.offset + range.length, 7)
  const from = (source: Buffer) => async (offset: number, target: Uint8Array) =>
    void source.copy(target, 0, offset, offset + target.length)

  it('finds nothing when nothing differs, also where nothing was written', async () => {
    const found = Buffer.from(bytes)
    found[3] = 0
    let progress = 0
    const onProgress = (count: number) => (progress += count)
    await compareRanges([range], from(bytes), from(found), '/dev/x', { onProgress })
    expect(progress).toBe(range.length)
  })

  it('names the first byte that differs', async () => {
    const found = Buffer.from(bytes)
    found[5 * MIB + 1] = 0
    found[7 * MIB] = 0
    await expect(compareRanges([range], from(bytes), from(found), '/dev/x')).rejects.toMatchObject({
      code: 'C2M_DEVICE_MISMATCH',
      message: `/dev/x gives back other bytes than were written, from ${5 * MIB + 1} on`,
    })
  })

  it('ends when it is interrupted', async () => {
    const signal = AbortSignal.abort()
    await expect(compareRanges([range], from(bytes), from(bytes), '/dev/x', { signal })).rejects.toMatchObject({
      code: 'C2M_INTERRUPTED',
    })
  })
})
