import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FEATURE_SETS } from '../testing/options.js'
import { memoryRootfs, type MemoryEntry } from '../testing/memory-rootfs.js'
import { randomTree } from '../testing/random-tree.js'
import { everything, noise, sparse } from '../testing/tree.js'
import { openExt4 } from './open.js'
import { probeExt4 } from './probe.js'
import { differences, digests, streamDigests, writeImage } from './testing/images.js'
import { memorySource } from './testing/sources.js'

const MIB = 1024 * 1024

describe('openExt4', () => {
  it.each(Object.entries(FEATURE_SETS))('gives back what was written, with the features %s', async (name, features) => {
    const entries = [...everything(), ...sparse()].map((entry) =>
      name === 'least' ? { ...entry, xattrs: undefined } : entry,
    )
    const image = await writeImage(entries, features, 48 * MIB)
    const notices: string[] = []
    await using rootfs = await openExt4(memorySource(image), { onNotice: (message) => notices.push(message) })
    expect(await differences(memoryRootfs(entries), rootfs)).toEqual([])
    const expected = await digests(memoryRootfs(entries))
    const withoutHoles = (digest: string): string => digest.replace(/ \d+$/, '')
    const seen = await digests(rootfs)
    expect(new Map([...seen].map(([path, digest]) => [path, withoutHoles(digest)]))).toEqual(
      new Map([...expected].map(([path, digest]) => [path, withoutHoles(digest)])),
    )
    expect(await streamDigests(rootfs, seen.keys())).toEqual(seen)
    // a hole is none of the 3000 runs of 4096 bytes, nor of the ten megabytes
    expect(seen.get('many-runs')).toMatch(/ 12288000$/)
    expect(seen.get('all-hole')).toMatch(/^10000000 .* 0$/)
    expect(notices).toEqual([])
  })

  it('gives back whatever tree was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomTree(),
        fc.constantFrom(...Object.values(FEATURE_SETS).slice(0, -1)),
        fc.boolean(),
        async (entries, features, holes) => {
          const image = await writeImage(entries, features, 24 * MIB)
          await using rootfs = await openExt4(memorySource(image, holes))
          expect(await differences(memoryRootfs(entries), rootfs)).toEqual([])
        },
      ),
      { numRuns: 25 },
    )
  })

  it('reads large directories, indexed and not', async () => {
    const names = Array.from({ length: 6000 }, (_, index): MemoryEntry => ({
      path: `dir/${index}-\udcff-ü-${'x'.repeat(index % 100)}`,
      type: 'fifo',
    }))
    for (const features of [FEATURE_SETS.modern, FEATURE_SETS.least]) {
      const image = await writeImage(names, features, 24 * MIB)
      await using rootfs = await openExt4(memorySource(image))
      expect(await rootfs.list('dir')).toHaveLength(6000)
      expect(await differences(memoryRootfs(names), rootfs)).toEqual([])
    }
  })

  it('finds paths as chroot would', async () => {
    const entries: MemoryEntry[] = [
      { path: 'usr/lib/x', type: 'file', content: Buffer.from('x') },
      { path: 'lib', type: 'symlink', linkTarget: 'usr/lib' },
      { path: 'up', type: 'symlink', linkTarget: '/usr/../../../lib/x' },
      { path: 'loop', type: 'symlink', linkTarget: 'loop/a' },
    ]
    await using rootfs = await openExt4(memorySource(await writeImage(entries, FEATURE_SETS.modern, 16 * MIB)))
    expect(await rootfs.resolve('lib/x')).toBe('usr/lib/x')
    expect(await rootfs.resolve('up')).toBe('usr/lib/x')
    expect(await rootfs.resolve('loop')).toBeUndefined()
    expect(await rootfs.resolve('usr/lib/x/y')).toBeUndefined()
    expect(await rootfs.stat('lib/x')).toMatchObject({ path: 'usr/lib/x', type: 'file', size: 1 })
    expect(await rootfs.stat('lib')).toMatchObject({ type: 'symlink', linkTarget: 'usr/lib' })
    expect(await rootfs.stat('nothing')).toBeUndefined()
    expect(await rootfs.list('lib')).toEqual([])
    expect(await rootfs.list('')).toEqual(['lib', 'loop', 'lost+found', 'up', 'usr'])
    expect(await rootfs.list('usr')).toEqual(['lib'])
    const below: string[] = []
    for await (const { path } of rootfs.walk('usr/lib')) below.push(path)
    expect(below).toEqual(['usr/lib', 'usr/lib/x'])
    const read = async (path: string): Promise<void> => {
      for await (const _ of rootfs.stream(path)) continue
    }
    await expect(read('usr')).rejects.toMatchObject({ code: 'C2M_NO_SUCH_FILE' })
    await expect(read('up')).rejects.toMatchObject({ code: 'C2M_NO_SUCH_FILE' })
  })

  it('passes over bodies that nobody reads, and ends when nobody goes on', async () => {
    const entries = Array.from({ length: 40 }, (_, index): MemoryEntry => ({
      path: `f${index}`,
      type: 'file',
      content: noise(MIB, `${index}`),
    }))
    await using rootfs = await openExt4(memorySource(await writeImage(entries, FEATURE_SETS.modern, 64 * MIB)))
    let index = 0
    for await (const { entry, body } of rootfs.contents()) {
      if (index++ % 3 !== 0) continue
      const { value } = (await body[Symbol.asyncIterator]().next()) as { value: { data: Uint8Array } }
      const expected = noise(MIB, entry.path.slice(1)).subarray(0, value.data.length)
      expect(expected.equals(value.data)).toBe(true)
    }
    expect(index).toBe(40)
    const late: AsyncIterator<unknown>[] = []
    for await (const { body } of rootfs.contents()) {
      late.push(body[Symbol.asyncIterator]())
      if (late.length === 2) break
    }
    for (const body of late) await expect(body.next()).rejects.toMatchObject({ code: 'C2M_BODY_PASSED' })
  })

  it('stops when it is told to, and passes on what the source throws', async () => {
    const image = await writeImage(everything(), FEATURE_SETS.modern, 16 * MIB)
    const controller = new AbortController()
    await using rootfs = await openExt4(memorySource(image), { signal: controller.signal })
    controller.abort()
    await expect(digests(rootfs)).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    const source = { ...memorySource(image), read: () => Promise.reject(new Error('the disk is gone')) }
    await expect(openExt4(source)).rejects.toThrow('the disk is gone')
  })
})

describe('probeExt4', () => {
  it('tells what a superblock tells', async () => {
    const image = await writeImage(everything(), FEATURE_SETS.modern, 16 * MIB)
    const summary = await probeExt4(memorySource(image))
    expect(summary).toMatchObject({
      type: 'ext4',
      uuid: '3c1f4e6a-58b1-4b7e-9c55-0d6a3f0e1b2c',
      label: 'root',
      lastMounted: '/',
      blockSize: 4096,
      sizeBytes: 16 * MIB,
      needsRecovery: false,
      lastWritten: 1_750_000_000,
    })
    expect(summary?.usedBytes).toBeGreaterThan(3_000_000)
    expect(summary?.features).toContain('metadata_csum')
  })

  it('tells nothing of what is none', async () => {
    expect(await probeExt4(memorySource(Buffer.alloc(MIB)))).toBeUndefined()
    expect(await probeExt4(memorySource(Buffer.alloc(100)))).toBeUndefined()
    await expect(openExt4(memorySource(Buffer.alloc(MIB)))).rejects.toMatchObject({ code: 'C2M_EXT4_UNSUPPORTED' })
  })
})
