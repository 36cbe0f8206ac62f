import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BOOT_CODE, bootCode, coreImage, SECTOR } from './boot-code.js'
import { placeCore } from './placement.js'
import { bootImage, coreFile } from './testing/images.js'

describe('bootCode', () => {
  it('changes the sector and the drive check only, and ends before the disk signature', () => {
    const code = Buffer.from(bootCode(bootImage(), 2048))
    const expected = bootImage().subarray(0, BOOT_CODE)
    Buffer.from('0008000000000000', 'hex').copy(expected, 0x5c)
    Buffer.from('9090', 'hex').copy(expected, 0x66)
    expect(code).toEqual(expected)
  })

  it('writes any sector', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }), (lba) => {
        expect(Buffer.from(bootCode(bootImage(), lba)).readBigUInt64LE(0x5c)).toBe(BigInt(lba))
      }),
    )
  })

  it('leaves the image alone', () => {
    const image = bootImage()
    bootCode(image, 2048)
    expect(image).toEqual(bootImage())
  })

  it.each([
    ['another length', () => Buffer.concat([bootImage(), Buffer.alloc(1)])],
    ['no signature', () => patched(0x1ff, 0)],
    ['another address', () => patched(0x5b, 0x7c)],
    ['a drive', () => patched(0x64, 0x80)],
    ['no jump', () => patched(0x66, 0x00)],
    ['nothing', () => Buffer.alloc(0)],
  ])('refuses a boot.img with %s', (_what, make) => {
    expect(() => bootCode(make(), 1)).toThrow(expect.objectContaining({ code: 'C2M_GRUB_BOOT_IMAGE' }))
  })
})

describe('coreImage', () => {
  it('changes the start of its block list only, and fills its last sector', () => {
    const written = Buffer.from(coreImage(coreFile(1500), 2048, 1 << 20))
    const expected = Buffer.alloc(1536)
    coreFile(1500).copy(expected)
    Buffer.from('0108000000000000', 'hex').copy(expected, 0x1f4)
    expect(written).toEqual(expected)
  })

  it('fits exactly or not at all', () => {
    expect(coreImage(coreFile(1025), 1, 3 * SECTOR)).toHaveLength(3 * SECTOR)
    expect(() => coreImage(coreFile(1025), 1, 3 * SECTOR - 1)).toThrow(
      expect.objectContaining({ code: 'C2M_GRUB_CORE_SIZE', message: expect.stringContaining('1025 bytes') as string }),
    )
  })

  it.each([
    ['a single sector', coreFile(SECTOR)],
    ['nothing', Buffer.alloc(0)],
    ['more than GRUB can load', coreFile(0x78001)],
    ['another segment', edited(0x1ff, 0x09)],
    ['another length', edited(0x1fc, 9)],
    ['a second block', edited(0x1f0, 1)],
  ])('refuses a core.img with %s', (_what, image) => {
    expect(() => coreImage(image, 1, 1 << 20)).toThrow(expect.objectContaining({ code: 'C2M_GRUB_CORE_IMAGE' }))
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('refuses sector %d', (lba) => {
    expect(() => coreImage(coreFile(1500), lba, 1 << 20)).toThrow(
      expect.objectContaining({ code: 'C2M_GRUB_CORE_IMAGE' }),
    )
  })

  it('takes any bytes without another error than its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(), (image, lba) => {
        try {
          coreImage(image, lba, 1024)
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^C2M_GRUB_CORE_/))
        }
      }),
    )
  })
})

describe('placeCore', () => {
  const root = { role: 'root', number: 1, firstLba: 2048, size: 1 << 30, partuuid: 'x-01' } as const
  const bios = { role: 'bios-boot', number: 1, firstLba: 4096, size: 1 << 20, partuuid: 'y' } as const

  it('is the gap after the MBR', () => {
    expect(placeCore({ table: 'mbr', id: '', partitions: [root] })).toEqual({
      lba: 1,
      room: 2047 * SECTOR,
      partition: undefined,
    })
    expect(placeCore({ table: 'mbr', id: '', partitions: [] }).room).toBe(0)
    expect(placeCore({ table: 'mbr', id: '', partitions: [{ ...root, firstLba: 0 }] }).room).toBe(0)
  })

  it('is the BIOS boot partition of a GPT, which must be there', () => {
    expect(placeCore({ table: 'gpt', id: '', partitions: [bios, root] })).toEqual({
      lba: 4096,
      room: 1 << 20,
      partition: 'bios-boot',
    })
    expect(() => placeCore({ table: 'gpt', id: '', partitions: [root] })).toThrow(
      expect.objectContaining({ code: 'C2M_GRUB_NO_BIOS_BOOT' }),
    )
  })
})

function patched(offset: number, byte: number): Buffer {
  const image = bootImage()
  image[offset] = byte
  return image
}

function edited(offset: number, byte: number): Buffer {
  const image = coreFile(1500)
  image[offset] = byte
  return image
}
