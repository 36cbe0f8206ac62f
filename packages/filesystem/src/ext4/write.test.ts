import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockAllocator } from './block-allocator.js'
import { BlockWriter } from './block-writer.js'
import { decodeExtent, decodeExtentHeader, decodeExtentIndex } from './extent.js'
import { clearExtentTree, ExtentList, extentTreeBlocks, writeExtentTree } from './extent-tree.js'
import { planGeometry } from './geometry.js'
import { inodeBlock } from './inode.js'
import { minimumBlocks, planLayout } from './space.js'
import { memoryRootfs, type MemoryEntry } from './testing/memory-rootfs.js'
import { memoryTarget } from './testing/memory-target.js'
import { FEATURE_SETS, testOptions } from './testing/options.js'
import { everything, noise, sparse } from './testing/tree.js'
import { planExt4, writeExt4 } from './write.js'
import { createHash } from 'node:crypto'
import { noSpace } from './errors.js'

const MIB = 1024 * 1024
const { modern } = FEATURE_SETS

async function write(entries: readonly MemoryEntry[], options = testOptions(modern), size = 16 * MIB): Promise<Buffer> {
  const target = memoryTarget(size)
  await writeExt4(memoryRootfs(entries), target, options)
  return target.bytes
}

/** A tree that says what it is told to say. */
function tree(
  entries: readonly Partial<RootfsEntry>[],
  bodies: readonly { inode: number; offset?: number; length?: number }[] = [],
): Rootfs {
  const whole = entries.map((entry, index): RootfsEntry => ({
    path: '',
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    size: 0,
    inode: index + 100,
    nlink: 1,
    xattrs: new Map(),
    ...entry,
  }))
  const base = memoryRootfs([])
  return {
    ...base,
    stat: (path) => base.stat(path),
    resolve: (path) => base.resolve(path),
    list: (path) => base.list(path),
    stream: (path) => base.stream(path),
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
    async *walk() {
      yield* whole
    },
    async *contents() {
      for (const { inode, offset = 0, length = 1 } of bodies) {
        const body = (async function* () {
          yield { offset, data: Buffer.alloc(length) }
        })()
        yield { entry: whole.find((entry) => entry.inode === inode) ?? { ...whole[0]!, inode }, body }
      }
    },
  }
}

const root: Partial<RootfsEntry> = { path: '', type: 'directory' }

describe('writeExt4', () => {
  it('gives the same bytes each time, and other bytes for another tree', async () => {
    const first = createHash('sha256')
      .update(await write([...everything()]))
      .digest('hex')
    const second = createHash('sha256')
      .update(await write([...everything()]))
      .digest('hex')
    const other = createHash('sha256')
      .update(await write([...everything(), { path: 'z', type: 'file' }]))
      .digest('hex')
    expect(second).toBe(first)
    expect(other).not.toBe(first)
  })

  it('leaves the first 1024 bytes to boot code', async () => {
    const target = memoryTarget(16 * MIB)
    const offsets: number[] = []
    await writeExt4(
      memoryRootfs([]),
      { size: target.size, write: async (offset, data) => (offsets.push(offset), target.write(offset, data)) },
      testOptions(modern),
    )
    expect(Math.min(...offsets)).toBe(1024)
  })

  it('tells how many bytes it writes', async () => {
    let told = 0
    let written = 0
    const target = { size: 16 * MIB, write: async (_: number, data: Uint8Array) => void (written += data.length) }
    await writeExt4(memoryRootfs(everything()), target, {
      ...testOptions(modern),
      onProgress: (bytes) => (told += bytes),
    })
    expect(told).toBe(written)
  })

  it('reports what it cannot hold', async () => {
    const entries: MemoryEntry[] = [
      { path: 'future', type: 'file', mtime: { seconds: 2 ** 40, nanoseconds: 0 } },
      { path: 'mac', type: 'file', xattrs: new Map([['com.apple.quarantine', Buffer.from('q')]]) },
      { path: 'acl', type: 'file', xattrs: new Map([['system.posix_acl_access', Buffer.from('no list')]]) },
    ]
    const { losses } = await writeExt4(memoryRootfs(entries), memoryTarget(16 * MIB), testOptions(modern))
    expect(losses.map(({ path }) => path)).toEqual(['acl', 'future', 'mac'])
    expect(losses[2]!.what).toContain('com.apple.quarantine')
  })

  it('says before it writes that the space is too small, and how much is needed', async () => {
    const entries: MemoryEntry[] = [{ path: 'large', type: 'file', content: noise(20 * MIB, 'large') }]
    const minimumBytes = await (await planExt4(memoryRootfs(entries), testOptions(modern))).minimumBytes()
    const target = { size: 16 * MIB, write: async () => expect.fail('something was written') }
    await expect(writeExt4(memoryRootfs(entries), target, testOptions(modern))).rejects.toMatchObject({
      code: 'C2M_EXT4_NO_SPACE',
      message: `the file system needs ${Math.ceil((minimumBytes / MIB) * 10) / 10} MiB, there are 16 MiB`,
    })
  })

  it('counts the holes of large files before it says so', async () => {
    const entries: MemoryEntry[] = [
      {
        path: 'sparse',
        type: 'file',
        content: { size: 2 ** 40, extents: [{ offset: 2 ** 39, data: noise(100, 'x') }] },
      },
    ]
    const plan = await planExt4(memoryRootfs(entries), testOptions(modern))
    const minimumBytes = await plan.minimumBytes()
    expect(plan.contentBytes).toBe(2 ** 40)
    expect(minimumBytes).toBeLessThan(16 * MIB)
    await write(entries)
  })

  it.each<[string, Rootfs]>([
    ['no root', tree([])],
    ['a root that is no directory', tree([{ path: '' }])],
    ['a first entry that is not the root', tree([{ path: 'etc', type: 'directory' }])],
    ['an entry without its directory', tree([root, { path: 'etc/passwd' }])],
    ['an entry below a file', tree([root, { path: 'etc' }, { path: 'etc/passwd' }])],
    [
      'a directory that comes again',
      tree([root, { path: 'a', type: 'directory' }, { path: 'b', type: 'directory' }, { path: 'a/x' }]),
    ],
    ['a name twice', tree([root, { path: 'a' }, { path: 'a' }])],
    ['names out of order', tree([root, { path: 'b' }, { path: 'a' }])],
    ['the name ..', tree([root, { path: '..' }])],
    ['the name .', tree([root, { path: '.' }])],
    ['an empty name', tree([root, { path: 'etc', type: 'directory' }, { path: 'etc/' }])],
    ['a long name', tree([root, { path: 'n'.repeat(256) }])],
    ['a name with NUL', tree([root, { path: 'a\0b' }])],
    ['a symlink without target', tree([root, { path: 'l', type: 'symlink' }])],
    ['a symlink with an empty target', tree([root, { path: 'l', type: 'symlink', linkTarget: '' }])],
    ['missing content', tree([root, { path: 'f', size: 1, inode: 5 }])],
    ['content twice', tree([root, { path: 'f', size: 1, inode: 5 }], [{ inode: 5 }, { inode: 5 }])],
    ['content of nothing', tree([root, { path: 'f', size: 1, inode: 5 }], [{ inode: 5 }, { inode: 6 }])],
    ['content of a fifo', tree([root, { path: 'f', type: 'fifo', inode: 5 }], [{ inode: 5 }])],
    ['content beyond the size', tree([root, { path: 'f', size: 1, inode: 5 }], [{ inode: 5, length: 2 }])],
    ['content at a negative offset', tree([root, { path: 'f', size: 1, inode: 5 }], [{ inode: 5, offset: -1 }])],
    ['content at an offset between bytes', tree([root, { path: 'f', size: 9, inode: 5 }], [{ inode: 5, offset: 1.5 }])],
  ])('refuses a tree with %s', async (_, rootfs) => {
    await expect(writeExt4(rootfs, memoryTarget(16 * MIB), testOptions(modern))).rejects.toMatchObject({
      code: 'C2M_EXT4_TREE',
    })
  })

  it.each<[string, Partial<RootfsEntry>]>([
    ['a negative owner', { uid: -1 }],
    ['an owner of 33 bits', { gid: 2 ** 32 }],
    ['a file of 16 TiB', { size: 2 ** 44 }],
    ['a negative size', { size: -1 }],
    ['a device number too large', { type: 'block', device: { major: 4096, minor: 0 } }],
    ['a device without number', { type: 'character' }],
    ['a target of 4096 bytes', { type: 'symlink', linkTarget: 't'.repeat(4096) }],
    ['a large attribute', { xattrs: new Map([['user.x', Buffer.alloc(4096)]]) }],
    ['an attribute with a long name', { xattrs: new Map([[`user.${'x'.repeat(256)}`, Buffer.alloc(1)]]) }],
    ['a file in the place of lost+found', { path: 'lost+found' }],
  ])('refuses %s by path', async (_, entry) => {
    const rootfs = tree([root, { path: 'here', ...entry }])
    const rejected = await writeExt4(rootfs, memoryTarget(16 * MIB), testOptions(modern)).catch(
      (error: unknown) => error,
    )
    expect(rejected).toMatchObject({
      code: 'C2M_EXT4_UNSTORABLE',
      message: expect.stringContaining(`"/${entry.path ?? 'here'}"`) as string,
    })
  })

  it('refuses attributes without the feature for them, and too many names', async () => {
    const xattrs = new Map([['user.x', Buffer.alloc(1)]])
    const unstorable = { code: 'C2M_EXT4_UNSTORABLE' }
    await expect(
      writeExt4(tree([root, { path: 'a', xattrs }]), memoryTarget(MIB), testOptions(FEATURE_SETS.least)),
    ).rejects.toMatchObject(unstorable)
    const names = Array.from({ length: 65_001 }, (_, index) => ({
      path: String(index).padStart(6, '0'),
      inode: 7,
      nlink: 2,
    }))
    await expect(writeExt4(tree([root, ...names]), memoryTarget(MIB), testOptions(modern))).rejects.toMatchObject(
      unstorable,
    )
  })

  it.each([
    [{ uuid: 'x' }],
    [{ hashSeed: '' }],
    [{ label: 'seventeen bytes..' }],
    [{ reservedPercent: 51 }],
    [{ reservedPercent: Number.NaN }],
    [{ time: { seconds: 2 ** 50, nanoseconds: 0 } }],
    [{ features: ['extent'] }],
  ])('refuses the options %j', async (wrong) => {
    await expect(write([], { ...testOptions(modern), ...wrong })).rejects.toMatchObject({
      code: 'C2M_EXT4_OPTION',
      exitCode: 2,
    })
  })

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    const target = { size: 64 * MIB, write: async () => controller.abort() }
    const entries: MemoryEntry[] = [{ path: 'large', type: 'file', content: noise(20 * MIB, 'large') }]
    await expect(
      writeExt4(memoryRootfs(entries), target, { ...testOptions(modern), signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
  })

  it('passes on what the target throws', async () => {
    const target = { size: 64 * MIB, write: async () => Promise.reject(new Error('the disk is gone')) }
    await expect(writeExt4(memoryRootfs(sparse()), target, testOptions(modern))).rejects.toThrow('the disk is gone')
  })
})

describe('space', () => {
  it('suffices from the minimum on', () => {
    const featureSet = fc.constantFrom(...Object.values(FEATURE_SETS)).map((names) => new Set<string>(names))
    const demand = fc.record({
      blocks: fc.oneof(fc.nat(5000), fc.nat(2_000_000)),
      inodes: fc.oneof(fc.nat(2000), fc.nat(300_000)),
    })
    fc.assert(
      fc.property(demand, featureSet, fc.oneof(fc.nat(3000), fc.nat(500_000)), (need, features, more) => {
        const least = minimumBlocks(need, features)
        expect(planLayout(least, need, features)).toBeDefined()
        expect(planLayout(least + more, need, features)).toBeDefined()
      }),
      { numRuns: 500 },
    )
  })

  it('is laid out without overlaps', () => {
    const featureSet = fc.constantFrom(...Object.values(FEATURE_SETS)).map((names) => new Set<string>(names))
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 3_000_000 }), fc.nat(500_000), featureSet, (blocks, inodes, features) => {
        const geometry = planGeometry(blocks, inodes, features)
        if (geometry === undefined) return
        const { metadata, groups, tableBlocks, capacity } = geometry
        let total = 0
        for (let at = 0; at < metadata.length; at += 2) {
          expect(metadata[at]!).toBeLessThan(metadata[at + 1]!)
          if (at > 0) expect(metadata[at - 1]!).toBeLessThan(metadata[at]!)
          total += metadata[at + 1]! - metadata[at]!
        }
        expect(metadata.at(-1)!).toBeLessThanOrEqual(geometry.blocks)
        expect(geometry.blocks).toBeLessThanOrEqual(blocks)
        expect(capacity).toBe(geometry.blocks - total)
        const base = 1 + geometry.descriptorBlocks + geometry.reservedDescriptorBlocks
        const copies = Array.from({ length: groups }, (_, group) => group).filter((group) =>
          isBackup(group, geometry.sparse),
        ).length
        expect(total).toBe(groups * (2 + tableBlocks) + copies * base)
      }),
      { numRuns: 200 },
    )
  })
})

function isBackup(group: number, sparse: boolean): boolean {
  if (!sparse || group < 2) return true
  return [3, 5, 7].some((base) => Number.isInteger(Math.round((Math.log(group) / Math.log(base)) * 1e9) / 1e9))
}

describe('extent trees', () => {
  it.each([0, 1, 4, 5, 340, 341, 1360, 1361, 500_000])('hold %d extents in order', async (count) => {
    const geometry = planGeometry(400_000, 0, new Set(FEATURE_SETS.modern))!
    const blocks = new Map<number, Buffer>()
    const target = {
      size: 2 ** 40,
      write: async (offset: number, data: Uint8Array) => {
        for (let at = 0; at < data.length; at += 4096)
          blocks.set((offset + at) / 4096, Buffer.from(data.subarray(at, at + 4096)))
      },
    }
    const extents = new ExtentList()
    for (let index = 0; index < count; index++) extents.add(2 * index, 1_000_000 + index, 1)
    const inode = Buffer.alloc(256)
    clearExtentTree(inode)
    const writer = new BlockWriter(target)
    const nodes = await writeExtentTree(inode, extents, 1, new BlockAllocator(geometry, () => noSpace(0, 0)), writer)
    await writer.flush()
    expect(nodes).toBe(extentTreeBlocks(count))
    expect(blocks.size).toBe(nodes)
    let next = 0
    const visit = (node: Buffer, depth: number | undefined): void => {
      const header = decodeExtentHeader(node)!
      if (depth !== undefined) expect(header.depth).toBe(depth)
      expect(header.entries).toBeLessThanOrEqual(header.max)
      for (let slot = 0; slot < header.entries; slot++) {
        if (header.depth > 0) {
          const { child, logical } = decodeExtentIndex(node, slot)
          if (logical !== 2 * next) throw new Error(`index begins at ${logical}, not ${2 * next}`)
          visit(blocks.get(child)!, header.depth - 1)
          continue
        }
        const { logical, block } = decodeExtent(node, slot)
        if (logical !== 2 * next || block !== 1_000_000 + next)
          throw new Error(`extent ${next} is ${logical} at ${block}`)
        next++
      }
    }
    visit(inodeBlock(inode), undefined)
    expect(next).toBe(count)
  })

  it('join neighbours up to 32768 blocks', () => {
    const extents = new ExtentList()
    extents.add(0, 100, 30_000)
    extents.add(30_000, 30_100, 40_000)
    extents.add(70_000, 80_000, 1)
    extents.add(70_002, 80_002, 1)
    expect(Array.from({ length: extents.length }, (_, index) => extents.at(index))).toEqual([
      { logical: 0, block: 100, count: 32_768 },
      { logical: 32_768, block: 32_868, count: 32_768 },
      { logical: 65_536, block: 65_636, count: 4464 },
      { logical: 70_000, block: 80_000, count: 1 },
      { logical: 70_002, block: 80_002, count: 1 },
    ])
    expect(extents.blocks).toBe(70_002)
  })
})
