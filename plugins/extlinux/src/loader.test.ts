import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layoutOf, MAX_LOADER, patchLoader } from './loader.js'
import { AREAS, imageSum, listedSectors, loaderImage } from './testing/loader-image.js'

const FIELD = (index: number) => AREAS.extended + index * 2

describe('layoutOf', () => {
  it('reads the patch areas', () => {
    expect(layoutOf(loaderImage())).toEqual({
      patchArea: AREAS.patchArea,
      imageLength: 2048,
      adv: AREAS.adv,
      directory: { offset: AREAS.directory, room: AREAS.directoryRoom },
      subvolume: { offset: AREAS.subvolume, room: AREAS.subvolumeRoom },
      list: { offset: AREAS.list, entries: AREAS.entries },
      firstSector: [0x11a, 0x120],
    })
  })

  it.each([
    ['nothing', new Uint8Array(), '0 bytes'],
    ['an ADV alone', new Uint8Array(1024), '1024 bytes'],
    ['half a sector', new Uint8Array(2000), '2000 bytes'],
    ['too large a file', new Uint8Array(MAX_LOADER + 512), 'can be loaded'],
    ['no magic number', loaderImage(4, (view) => view.setUint32(24, 1, true)), 'no patch area'],
    ['a magic number at an odd place', new Uint8Array([0, ...loaderImage().subarray(0, -1)]), 'no patch area'],
    ['an extended area beyond its end', loaderImage(4, (view) => view.setUint16(46, 2040, true)), 'at 2040, beyond'],
    ['ADV pointers beyond its end', edited(0, 2040), 'ADV pointers at 2040'],
    ['a directory beyond its end', edited(1, 2040), 'directory at 2040'],
    ['a subvolume beyond its end', edited(3, 60000), 'subvolume at 60000'],
    ['a sector list beyond its end', edited(6, 65535), 'sector list at 96'],
    ['areas that overlap', edited(1, AREAS.list), 'overlap'],
    ['a list over the magic number', edited(5, 0), 'overlap'],
  ])('refuses %s', (_what, loader, message) => {
    expect(() => layoutOf(loader)).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_LOADER', message: expect.stringContaining(message) as string }),
    )
  })

  it('takes any bytes without another error than its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (header) => {
        const image = loaderImage()
        image.set(header, 32)
        try {
          patchLoader(image, [1, 2, 3, 4, 5, 6], '/')
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^C2M_EXTLINUX_/))
        }
      }),
    )
  })
})

describe('patchLoader', () => {
  const sectors = [100, 101, 102, 700, 701, 5_000_000_000]

  it('fills in what it has to, and nothing else', () => {
    const patched = patchLoader(loaderImage(), sectors, '/boot/x')
    const view = new DataView(patched.buffer)
    const { patchArea, adv, directory, directoryRoom, list, entries } = AREAS
    expect([view.getUint16(patchArea + 8, true), view.getUint16(patchArea + 10, true)]).toEqual([4, 2])
    expect(view.getUint32(patchArea + 12, true)).toBe(512)
    expect(listedSectors(patched, list, entries)).toEqual([101, 102, 700])
    expect([view.getBigUint64(adv, true), view.getBigUint64(adv + 8, true)]).toEqual([701n, 5_000_000_000n])
    expect(Buffer.from(patched.subarray(directory, directory + directoryRoom)).toString('latin1')).toBe(
      '/boot/x'.padEnd(directoryRoom, '\0'),
    )
    const changed = [
      [patchArea + 8, patchArea + 20],
      [list, list + entries * 10],
      [directory, adv + 16],
    ] as const
    const original = loaderImage()
    patched.forEach((byte, at) => {
      if (!changed.some(([from, to]) => at >= from && at < to)) expect([at, byte]).toEqual([at, original[at]])
    })
  })

  it('adds up to the magic number wherever the sectors are, and again when it is patched again', () => {
    const place = fc.array(fc.integer({ min: 2, max: 2 ** 40 }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(place, place, fc.integer(), (first, second, noise) => {
        const loader = loaderImage(4, (view) => view.setInt32(400, noise, true))
        const once = patchLoader(loader, first, '/extlinux')
        expect(imageSum(once)).toBe(0x3eb202fe)
        expect(patchLoader(patchLoader(loader, second, '/boot/extlinux'), first, '/extlinux')).toEqual(once)
      }),
    )
  })

  it('leaves its input alone, also when that is a Buffer', () => {
    const loader = Buffer.from(loaderImage())
    patchLoader(loader, sectors, '/')
    expect(loader).toEqual(Buffer.from(loaderImage()))
  })

  it('refuses a directory without room for it', () => {
    const path = (length: number) => patchLoader(loaderImage(), sectors, '/'.padEnd(length, 'x'))
    expect(path(31)).toHaveLength(3072)
    expect(() => path(32)).toThrow(expect.objectContaining({ code: 'C2M_EXTLINUX_DIRECTORY' }))
  })

  it('refuses more pieces than the list has room for', () => {
    const scattered = (pieces: number) =>
      patchLoader(
        loaderImage(pieces + 1),
        [...Array(pieces + 3).keys()].map((index) => index * 8),
        '/',
      )
    expect(listedSectors(scattered(8), AREAS.list, AREAS.entries)).toHaveLength(8)
    expect(() => scattered(9)).toThrow(
      expect.objectContaining({
        code: 'C2M_EXTLINUX_SCATTERED',
        message: expect.stringContaining('9 pieces') as string,
      }),
    )
  })

  it('refuses a place of another length', () => {
    expect(() => patchLoader(loaderImage(), [1, 2, 3], '/')).toThrow(
      expect.objectContaining({ code: 'C2M_EXTLINUX_LOADER' }),
    )
  })
})

function edited(field: number, value: number): Uint8Array {
  return loaderImage(4, (view) => view.setUint16(FIELD(field), value, true))
}
