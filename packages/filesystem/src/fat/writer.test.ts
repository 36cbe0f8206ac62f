import type { BlockTarget } from '@c2m/disk'
import { describe, expect, it } from 'vitest'
import { geometryFor } from './geometry.js'
import { memoryRootfs } from './testing/memory-rootfs.js'
import { encodeTime } from './time.js'
import { fat32Minimum, writeFat32, type Fat32Options } from './writer.js'

const MIB = 1024 * 1024
const OPTIONS: Fat32Options = { volumeId: '12AB-34CD', label: 'EFI', hiddenSectors: 2048 }

/** A partition whose bytes nobody looks at. */
function nowhere(size: number): BlockTarget {
  return { size, write: async () => undefined }
}

describe('geometryFor', () => {
  it('is FAT32 by its number of clusters at every size', () => {
    for (const mib of [
      33,
      34,
      64,
      100,
      259,
      260,
      261,
      300,
      512,
      1024,
      8192,
      8193,
      16384,
      16385,
      32768,
      32769,
      2 ** 21 - 1,
    ]) {
      const geometry = geometryFor(mib * MIB)
      const { clusters, fatSectors, firstDataSector, sectorsPerCluster, reservedSectors, sectors } = geometry
      expect(clusters).toBeGreaterThanOrEqual(65525)
      expect(clusters).toBeLessThan(0x0ffffff5)
      expect(fatSectors * 128).toBeGreaterThanOrEqual(clusters + 2)
      expect(firstDataSector + clusters * sectorsPerCluster).toBeLessThanOrEqual(sectors)
      expect(sectors - firstDataSector - clusters * sectorsPerCluster).toBeLessThan(sectorsPerCluster)
      expect(reservedSectors).toBeGreaterThanOrEqual(32)
      expect(reservedSectors).toBeLessThan(0x10000)
      expect(firstDataSector % 8).toBe(0)
    }
    for (const size of [0, MIB, 32 * MIB, 3 * 2 ** 40]) expect(() => geometryFor(size)).toThrow(/cannot have/)
  })
})

describe('writeFat32', () => {
  it.each([
    ['a symlink', { 'EFI/link': { type: 'symlink' } }, 'C2M_FAT_TYPE', 'EFI/link'],
    ['a device', { 'EFI/null': { type: 'character' } }, 'C2M_FAT_TYPE', 'EFI/null'],
    ['names that differ in case', { 'EFI/boot/a': 'x', 'EFI/BOOT/b': 'y' }, 'C2M_FAT_DUPLICATE', 'EFI/boot'],
    ['a name', { 'EFI/a:b': 'x' }, 'C2M_FAT_NAME', 'EFI/a:b'],
    ['a large file', { 'EFI/big': { size: 2 ** 32 } }, 'C2M_FAT_FILE_SIZE', 'EFI/big'],
    ['more than fits', { 'EFI/big': { size: 70 * MIB } }, 'C2M_FAT_FULL', '67108864'],
    ['a longer body than announced', { 'EFI/liar': { size: 3, content: 'four' } }, 'C2M_FAT_BODY', 'EFI/liar'],
  ] as const)('refuses %s', async (_, files, code, text) => {
    const writing = writeFat32(memoryRootfs(files), nowhere(64 * MIB), OPTIONS)
    await expect(writing).rejects.toMatchObject({ code })
    await expect(writing).rejects.toThrow(text)
  })

  it('refuses a label and a volume id that FAT does not have', async () => {
    const attempt = (options: Partial<Fat32Options>) =>
      writeFat32(memoryRootfs({}), nowhere(64 * MIB), { ...OPTIONS, ...options })
    for (const label of ['', 'efi', 'A'.repeat(12), ' X', 'A/B']) {
      await expect(attempt({ label })).rejects.toMatchObject({ code: 'C2M_FAT_LABEL' })
    }
    for (const volumeId of ['', '12345678', '1234-567G']) {
      await expect(attempt({ volumeId })).rejects.toMatchObject({ code: 'C2M_FAT_VOLUME_ID' })
    }
  })

  it('stops when told to', async () => {
    const writing = writeFat32(memoryRootfs({ a: 'x' }), nowhere(64 * MIB), { ...OPTIONS, signal: AbortSignal.abort() })
    await expect(writing).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
  })
})

describe('fat32Minimum', () => {
  it('is the smallest size that is not refused', async () => {
    for (const [files, expected] of [
      [{}, 33],
      [{ a: { size: 100 * MIB } }, 101],
      // 1 GiB takes clusters of 4 KiB
      [{ a: { size: 1024 * MIB } }, 1027],
    ] as const) {
      const tree = memoryRootfs(files)
      const size = await fat32Minimum(tree)
      expect(Math.round(size / MIB)).toBeLessThanOrEqual(expected + 1)
      await writeFat32(tree, nowhere(size), OPTIONS)
      await expect(writeFat32(tree, nowhere(size - MIB), OPTIONS)).rejects.toThrow()
    }
  })
})

describe('encodeTime', () => {
  it('is UTC, clamped to 1980–2107', () => {
    const at = (text: string, nanoseconds = 0) => encodeTime({ seconds: Date.parse(text) / 1000, nanoseconds })
    expect(at('2021-03-04T05:06:09Z', 120_000_000)).toEqual({
      date: (41 << 9) | (3 << 5) | 4,
      time: (5 << 11) | (6 << 5) | 4,
      hundredths: 112,
    })
    const first = { date: (1 << 5) | 1, time: 0, hundredths: 0 }
    expect(at('1970-01-01T00:00:00Z', 999_999_999)).toEqual(first)
    expect(encodeTime({ seconds: -1e15, nanoseconds: 0 })).toEqual(first)
    const last = { date: (127 << 9) | (12 << 5) | 31, time: (23 << 11) | (59 << 5) | 29, hundredths: 100 }
    expect(at('2108-01-01T00:00:00Z')).toEqual(last)
  })
})
