import { run } from '@c2m/process'
import fc from 'fast-check'
import { copyFile, mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashSeedWords, halfMd4 } from './directory-hash.js'
import {
  debugfs,
  fsck,
  mayResizeOnline,
  missingForMount,
  missingTools,
  pictureOfFolder,
  pictureOfRootfs,
  withMount,
} from './testing/judge.js'
import { fileTarget } from './testing/file-target.js'
import { memoryRootfs, type MemoryEntry } from './testing/memory-rootfs.js'
import { FEATURE_SETS, testOptions } from './testing/options.js'
import { randomTree } from './testing/random-tree.js'
import { ABOVE_4_GIB, everything, noise, sparse } from './testing/tree.js'
import { parseUuid } from './uuid.js'
import { planExt4, writeExt4, type Ext4Report } from './write.js'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const missing = await missingTools()
const missingMount = missing.length > 0 ? missing : await missingForMount()
const resizesOnline = missingMount.length === 0 && (await mayResizeOnline())

describe.skipIf(missing.length > 0)('ext4, judged by e2fsprogs', () => {
  let folder = ''
  let image = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ext4-'))
    image = join(folder, 'image')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function write(
    entries: readonly MemoryEntry[],
    size: number,
    features: readonly string[],
    more = {},
  ): Promise<Ext4Report> {
    await using target = await fileTarget(image, size)
    return await writeExt4(memoryRootfs(entries), target, testOptions(features, more))
  }

  describe.each(Object.entries(FEATURE_SETS))('with the features %s', (name, features) => {
    const withoutXattrs = (entry: MemoryEntry): MemoryEntry => ({ ...entry, xattrs: undefined })
    const tree = everything().map((entry) => (name === 'least' ? withoutXattrs(entry) : entry))

    it.each([16, 64, 1024, 10 * 1024])('writes one of everything into %d MiB', async (size) => {
      const entries = size === 16 ? tree : [...tree, ...sparse(), ABOVE_4_GIB]
      const report = await write(entries, size * MIB + 512, features)
      await fsck(image)
      expect(report.losses).toEqual([])
    })

    it('writes an empty tree into the smallest size', async () => {
      const minimumBytes = await (await planExt4(memoryRootfs([]), testOptions(features))).minimumBytes()
      await write([], minimumBytes, features)
      await fsck(image)
      const smaller = write([], minimumBytes / 4, features)
      await expect(smaller).rejects.toMatchObject({ code: 'C2M_EXT4_NO_SPACE' })
    })

    it('fits the estimate of a tree', async () => {
      const entries = [
        ...tree,
        ...sparse(),
        ABOVE_4_GIB,
        { path: 'content', type: 'file' as const, content: noise(20 * MIB, 'content') },
      ]
      const minimumBytes = await (await planExt4(memoryRootfs(entries), testOptions(features))).minimumBytes()
      await write(entries, minimumBytes, features)
      await fsck(image)
    })
  })

  it('writes 300 GiB, hardly any of it', async () => {
    await write(everything(), 300 * GIB, FEATURE_SETS.modern)
    await fsck(image)
    expect((await stat(image)).blocks * 512).toBeLessThan(100 * MIB)
  })

  it('keeps many small directories, large ones and huge ones', async () => {
    const names = (count: number, name: (index: number) => string): MemoryEntry[] =>
      Array.from({ length: count }, (_, index) => ({ path: name(index), type: 'file' }))
    const entries = [
      ...names(50, (index) => `small/file-${index}`),
      ...names(3000, (index) => `one-level/größe-${index}\udcff`),
      ...names(9000, (index) => `two-levels/${String(index).padStart(250, 'name-')}`),
    ]
    await write(entries, 128 * MIB, FEATURE_SETS.modern)
    await fsck(image)
    expect(await debugfs(image, 'htree_dump /one-level')).toContain('Indirect levels: 0')
    expect(await debugfs(image, 'htree_dump /two-levels')).toContain('Indirect levels: 1')
    await write(entries, 128 * MIB, FEATURE_SETS.conservative)
    await fsck(image)
    await write(entries, 128 * MIB, FEATURE_SETS.least)
    await fsck(image)
  })

  it("keeps names of one hash that lie on both sides of a leaf's end", async () => {
    const { entries, pair } = collidingDirectory()
    await write(entries, 64 * MIB, FEATURE_SETS.modern)
    await fsck(image)
    const dump = await debugfs(image, 'htree_dump /dir')
    expect(dump).toMatch(/Hash 0x[0-9a-f]{7}[13579bdf], block/)
    for (const name of pair) expect(await debugfs(image, `stat /dir/${name}`)).toContain('Type: regular')
  })

  it('keeps more subdirectories than a link count can count', async () => {
    const entries = Array.from({ length: 65_100 }, (_, index) => ({
      path: `many/${index}`,
      type: 'directory' as const,
    }))
    await write(entries, GIB, FEATURE_SETS.modern)
    await fsck(image)
    expect(await debugfs(image, 'stat /many')).toMatch(/Links: 1 /)
  }, 120_000)

  it('agrees with debugfs on the hash of names', async () => {
    const { hashSeed } = testOptions([])
    const words = hashSeedWords(parseUuid(hashSeed, ''))
    await write([], 16 * MIB, FEATURE_SETS.modern)
    for (const name of ['a', 'file', 'x'.repeat(32), 'y'.repeat(33), 'z'.repeat(255), 'Größe-é']) {
      const told = /is (0x[0-9a-f]+)/.exec(await debugfs(image, `dx_hash -h half_md4 -s ${hashSeed} ${name}`))?.[1]
      expect(halfMd4(Buffer.from(name), words, true)).toBe(Number(told))
    }
  })

  it('tells what was asked for in the superblock', async () => {
    await write([], 64 * MIB, FEATURE_SETS.modern, { reservedPercent: 1 })
    const told = (await run('/usr/sbin/tune2fs', ['-l', image], { env: { ...process.env, TZ: 'UTC' } })).stdout
    for (const words of [
      /Filesystem volume name: +root$/m,
      /Last mounted on: +\/$/m,
      /UUID: +3c1f4e6a-58b1-4b7e-9c55-0d6a3f0e1b2c$/m,
      /Default mount options: +user_xattr acl$/m,
      /Filesystem state: +clean$/m,
      /Errors behavior: +Continue$/m,
      /Filesystem created: +Sun Jun 15 15:06:40 2025$/m,
      /Directory Hash Seed: +a1b2c3d4-e5f6-4711-8899-aabbccddeeff$/m,
      /Default directory hash: +half_md4$/m,
      /Reserved block count: +163$/m,
      /Inode count: +4096$/m,
      /Block count: +16384$/m,
      /Reserved GDT blocks: +7$/m,
      /Journal backup: +inode blocks$/m,
      /Flex block group size: +16$/m,
      /Checksum type: +crc32c$/m,
      /First inode: +11$/m,
      /Inode size:\s+256$/m,
      /Required extra isize: +32$/m,
      /Maximum mount count: +-1$/m,
    ])
      expect(told).toMatch(words)
    const dumped = (await run('/usr/sbin/dumpe2fs', [image])).stdout
    expect(dumped).toMatch(/Total journal size: +4096k/)
    expect(dumped).toMatch(/Group 0:.*\[ITABLE_ZEROED\]/)
  })

  it('tells where files lie', async () => {
    const report = await write(everything(), 64 * MIB, FEATURE_SETS.modern, {
      locate: ['files/large', 'files/second', 'not there', 'files/empty'],
    })
    expect([...report.extents.keys()].sort()).toEqual(['files/empty', 'files/large', 'files/second'])
    for (const [path, extents] of report.extents) {
      const told = (await debugfs(image, `blocks /${path}`)).trim().split(/\s+/).filter(Boolean).map(Number)
      expect(extents.flatMap(({ block, count }) => Array.from({ length: count }, (_, index) => block + index))).toEqual(
        told,
      )
    }
  })

  it.each([
    ['64 MiB to 1 GiB', 'modern', 64 * MIB, GIB],
    ['1 GiB to 40 GiB', 'modern', GIB, 40 * GIB],
    ['16 MiB to 12 GiB', 'modern', 16 * MIB, 12 * GIB],
    ['64 MiB to 8 GiB', 'conservative', 64 * MIB, 8 * GIB],
    ['64 MiB to 8 GiB', 'uninit', 64 * MIB, 8 * GIB],
    ['64 MiB to 8 GiB', 'plain', 64 * MIB, 8 * GIB],
  ] as const)('grows with resize2fs from %s, %s', async (_, name, from, to) => {
    await write(everything(), from, FEATURE_SETS[name])
    const copy = join(folder, 'grown')
    await copyFile(image, copy)
    await truncate(copy, to)
    await run('/usr/sbin/resize2fs', [copy])
    await fsck(copy)
    expect((await run('/usr/sbin/dumpe2fs', ['-h', copy])).stdout).toMatch(
      new RegExp(`Block count: +${to / 4096}$`, 'm'),
    )
    await rm(copy)
  })

  it('holds whatever tree it is given', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomTree(),
        fc.constantFrom(...Object.values(FEATURE_SETS).slice(0, -1)),
        async (entries, features) => {
          const minimumBytes = await (await planExt4(memoryRootfs(entries), testOptions(features))).minimumBytes()
          await write(entries, minimumBytes, features)
          await fsck(image)
        },
      ),
      { numRuns: 25 },
    )
  })

  describe.skipIf(missingMount.length > 0)('and by the kernel', () => {
    it.each(['modern', 'seeded', 'conservative', 'uninit', 'no journal'] as const)(
      'shows the same tree, %s',
      async (name) => {
        const entries = [...everything(), ...sparse()]
        await write(entries, 512 * MIB, FEATURE_SETS[name])
        const expected = new Map(await pictureOfRootfs(memoryRootfs(entries)))
        const seen = await withMount(image, join(folder, 'mount'), 'ro', async () => {
          expect((await stat(join(folder, 'mount/all-hole'))).blocks).toBe(0)
          return new Map(await pictureOfFolder(join(folder, 'mount')))
        })
        expect(seen.get('lost+found')).toMatch(/^directory 700 0 0 1750000000.0/)
        seen.delete('lost+found')
        expect(seen).toEqual(expected)
      },
      120_000,
    )

    it('reads bytes beyond 4 GiB', async () => {
      await write([ABOVE_4_GIB], 64 * MIB, FEATURE_SETS.modern)
      await withMount(image, join(folder, 'mount'), 'ro', async () => {
        const path = join(folder, 'mount', ABOVE_4_GIB.path)
        const { size, blocks } = await stat(path)
        expect(size).toBe(5 * GIB + 1)
        expect(blocks * 512).toBeLessThan(64 * 1024)
        await using file = await open(path)
        const read = async (offset: number, length: number): Promise<Buffer> =>
          (await file.read(Buffer.alloc(length), 0, length, offset)).buffer
        expect(await read(4 * GIB - 4000, 9000)).toEqual(noise(9000, 'middle'))
        expect(await read(5 * GIB, 1)).toEqual(noise(1, 'high'))
        expect(await read(GIB, 4096)).toEqual(Buffer.alloc(4096))
      })
    })

    it('can be written to', async () => {
      const many = Array.from({ length: 2000 }, (_, index) => ({ path: `many/before-${index}`, type: 'file' as const }))
      await write([...everything(), ...many], 256 * MIB, FEATURE_SETS.modern)
      const mount = join(folder, 'mount')
      await withMount(image, mount, 'rw', async () => {
        for (let index = 0; index < 500; index++)
          await writeFile(join(mount, `many/after-${index}`), noise(5000, `${index}`))
        for (let index = 0; index < 500; index++) await rm(join(mount, `many/before-${index * 3}`))
        await writeFile(join(mount, 'filling'), noise(20 * MIB, 'filling'))
        await rm(join(mount, 'xattrs/shared-1'))
        await run('setfattr', ['-n', 'user.shared', '-v', 'other', join(mount, 'xattrs/shared-2')])
      })
      await fsck(image)
    }, 120_000)

    it.skipIf(!resizesOnline).each(['modern', 'conservative'] as const)(
      'grows while mounted, %s',
      async (name) => {
        await write(everything(), 64 * MIB, FEATURE_SETS[name])
        const mount = join(folder, 'mount')
        await withMount(image, mount, 'rw', async () => {
          const device = (await run('findmnt', ['-n', '-o', 'SOURCE', mount])).stdout.trim()
          await truncate(image, 10 * GIB)
          await run('losetup', ['-c', device])
          await run('/usr/sbin/resize2fs', [device])
        })
        await fsck(image)
        expect((await run('/usr/sbin/dumpe2fs', ['-h', image])).stdout).toMatch(/Block count: +2621440$/m)
      },
      120_000,
    )
  })
})

/** Files of one directory, two of which have the same hash and stand last and first in neighbouring leaves. */
function collidingDirectory(): { entries: MemoryEntry[]; pair: readonly [string, string] } {
  const words = hashSeedWords(parseUuid(testOptions([]).hashSeed, ''))
  const byHash = new Map<number, string>()
  const names: { name: string; hash: number }[] = []
  let pair: [string, string] | undefined
  let hash = 0
  for (let index = 0; pair === undefined; index++) {
    // 88 bytes and a header of 8: 33 entries fill four fifths of a leaf
    const name = `${'n'.repeat(80)}${String(index).padStart(8, '0')}`
    hash = halfMd4(Buffer.from(name), words, true)
    const twin = byHash.get(hash)
    if (twin !== undefined) pair = [twin, name]
    byHash.set(hash, name)
    names.push({ name, hash })
  }
  const PER_LEAF = Math.floor(Math.floor((4096 - 12) * 0.8) / 96)
  const lower = names.filter((other) => other.hash < hash).slice(0, 2 * PER_LEAF - 1)
  const higher = names.filter((other) => other.hash > hash).slice(0, 2 * PER_LEAF)
  const all = [...lower.map(({ name }) => name), ...pair, ...higher.map(({ name }) => name)]
  return { pair, entries: all.map((name) => ({ path: `dir/${name}`, type: 'file' })) }
}
