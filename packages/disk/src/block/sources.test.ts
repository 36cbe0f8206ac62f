import { appendFile, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { memorySource } from '../testing/memory-source.js'
import { temporaryFolder } from '../testing/temporary.js'
import { openRawSource } from './raw-source.js'
import { sourceRegion } from './source-region.js'
import type { BlockSource } from './source.js'

async function ranges(source: BlockSource, offset: number, length: number) {
  const found: [number, number][] = []
  for await (const part of source.data(offset, length)) found.push([part.offset, part.length])
  return found
}

describe('sourceRegion', () => {
  const whole = memorySource(Buffer.from(Array.from({ length: 100 }, (_, index) => index)), [
    { offset: 0, length: 15 },
    { offset: 20, length: 5 },
    { offset: 28, length: 70 },
  ])

  it('reads and tells data by its own offsets', async () => {
    const part = sourceRegion(whole, 10, 20)
    const target = Buffer.alloc(3)
    await part.read(17, target)
    expect([...target]).toEqual([27, 28, 29])
    expect(await ranges(part, 0, 20)).toEqual([
      [0, 5],
      [10, 5],
      [18, 2],
    ])
    expect(await ranges(part, 12, 1)).toEqual([[12, 1]])
  })

  it('cannot be left', async () => {
    const part = sourceRegion(whole, 10, 20)
    const bounds = { code: 'C2M_DISK_BOUNDS' }
    for (const [offset, length] of [
      [20, 1],
      [-1, 1],
      [19, 2],
      [0.5, 1],
    ] as const) {
      await expect(part.read(offset, Buffer.alloc(length))).rejects.toMatchObject(bounds)
      await expect(ranges(part, offset, length)).rejects.toMatchObject(bounds)
    }
    expect(() => sourceRegion(whole, 90, 11)).toThrow(/do not lie within 100 bytes/)
  })
})

describe('openRawSource', () => {
  it('reads a file of any size', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('disk'), 'hello world')
    await using source = await openRawSource(folder.file('disk'))
    const target = Buffer.alloc(5)
    await source.read(6, target)
    expect([source.size, target.toString()]).toEqual([11, 'world'])
    await expect(source.read(7, target)).rejects.toMatchObject({ code: 'C2M_DISK_BOUNDS' })
    expect(await ranges(source, 2, 5)).toEqual([[2, 5]])
    expect(await ranges(source, 11, 0)).toEqual([])
  })

  it('asks for holes only where a file has some, and once', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('dense'), Buffer.alloc(4096, 1))
    await writeFile(folder.file('sparse'), '')
    await truncate(folder.file('sparse'), 1024 * 1024)
    await appendFile(folder.file('sparse'), 'x')
    let opened = 0
    let closed = 0
    const openHoles = async () => {
      opened++
      const holes = memorySource(Buffer.alloc(1024 * 1024 + 1), [{ offset: 1024 * 1024, length: 1 }])
      return { ...holes, [Symbol.asyncDispose]: async () => void closed++ }
    }
    {
      await using dense = await openRawSource(folder.file('dense'), { openHoles })
      expect(await ranges(dense, 0, 4096)).toEqual([[0, 4096]])
      expect(opened).toBe(0)
      await using sparse = await openRawSource(folder.file('sparse'), { openHoles })
      expect(await ranges(sparse, 5, 1024 * 1024 - 4)).toEqual([[1024 * 1024, 1]])
      expect(await ranges(sparse, 0, 1)).toEqual([])
      expect(opened).toBe(1)
    }
    expect(closed).toBe(1)
  })

  it('says when the file shrinks, is none or is missing', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('disk'), Buffer.alloc(100))
    await using source = await openRawSource(folder.file('disk'))
    await truncate(folder.file('disk'), 50)
    await expect(source.read(40, Buffer.alloc(20))).rejects.toMatchObject({ code: 'C2M_DISK_CHANGED' })
    await expect(openRawSource(folder.path)).rejects.toMatchObject({ code: 'C2M_DISK_NOT_A_FILE' })
    await expect(openRawSource('/dev/null')).rejects.toMatchObject({ code: 'C2M_DISK_NOT_A_FILE' })
    await expect(openRawSource(folder.file('no'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
  })
})
