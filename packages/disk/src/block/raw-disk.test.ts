import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryDisk } from '../testing/memory-disk.js'
import { temporaryFolder } from '../testing/temporary.js'
import { createRawDisk } from './raw-disk.js'
import { region } from './region.js'

const KIB = 1024

describe('createRawDisk', () => {
  it('holds what was written and zeros elsewhere, whatever the order and the overlaps', async () => {
    await using folder = await temporaryFolder()
    const size = 4 * 1024 * KIB
    const write = fc.record({
      offset: fc.nat(size - 1),
      length: fc.integer({ min: 0, max: 40 * KIB }),
      // zeros over data must be written, zeros over nothing need not
      fill: fc.constantFrom(0, 0, 1, 255),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
        const expected = Buffer.alloc(size)
        await using disk = await createRawDisk(folder.file('disk'), size)
        for (const { offset, length, fill } of writes) {
          const data = Buffer.alloc(Math.min(length, size - offset), fill)
          expected.set(data, offset)
          await disk.write(offset, data)
        }
        expect((await readFile(folder.file('disk'))).equals(expected)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('takes no room for zeros', async () => {
    await using folder = await temporaryFolder()
    await using disk = await createRawDisk(folder.file('disk'), 1024 * 1024 * KIB)
    await disk.write(512 * KIB, new Uint8Array(8 * 1024 * KIB))
    await disk.write(64 * 1024 * KIB, new Uint8Array(4096).fill(1))
    await disk.sync()
    const { size, blocks } = await stat(folder.file('disk'))
    expect(size).toBe(1024 * 1024 * KIB)
    expect(blocks * 512).toBeLessThan(256 * KIB)
  })

  it('grows and shrinks', async () => {
    await using folder = await temporaryFolder()
    await using disk = await createRawDisk(folder.file('disk'), 4096)
    await expect(disk.write(4096, Uint8Array.of(1))).rejects.toMatchObject({ code: 'C2M_DISK_BOUNDS' })
    await disk.resize(8192)
    await disk.write(4096, Uint8Array.of(1))
    await disk.resize(4096)
    await disk.resize(8192)
    expect(disk.size).toBe(8192)
    expect((await readFile(folder.file('disk'))).equals(Buffer.alloc(8192))).toBe(true)
    await disk.close()
    await disk.close()
  })

  it('says where and why it cannot be made', async () => {
    await using folder = await temporaryFolder()
    await expect(createRawDisk(folder.file('no/disk'), 1)).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
    await expect(createRawDisk(folder.file('disk'), -1)).rejects.toMatchObject({ code: 'C2M_DISK_SIZE' })
    await expect(createRawDisk(folder.file('disk'), Number.NaN)).rejects.toMatchObject({ code: 'C2M_DISK_SIZE' })
  })

  it('reports a size that the file system does not take', async (context) => {
    await using folder = await temporaryFolder()
    const takesAll = await writeFile(folder.file('probe'), '')
      .then(() => truncate(folder.file('probe'), Number.MAX_SAFE_INTEGER))
      .then(
        () => true,
        () => false,
      )
    if (takesAll) context.skip('the temporary folder is on a tmpfs, which takes any size')
    await using disk = await createRawDisk(folder.file('disk'), 0)
    await expect(disk.resize(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'C2M_FILE_EFBIG' })
  })
})

describe('region', () => {
  it('shifts writes and keeps them inside', async () => {
    const disk = memoryDisk(100)
    const part = region(disk, 10, 20)
    await part.write(19, Uint8Array.of(7))
    expect(disk.bytes[29]).toBe(7)
    expect(part.size).toBe(20)
    for (const [offset, length] of [
      [20, 1],
      [-1, 1],
      [19, 2],
      [0.5, 1],
    ] as const) {
      await expect(part.write(offset, new Uint8Array(length))).rejects.toMatchObject({ code: 'C2M_DISK_BOUNDS' })
    }
    expect(() => region(disk, 90, 11)).toThrow(/do not lie within 100 bytes/)
  })
})
