import { mkdir, mkdtemp, open, rm, symlink as makeLink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDisk } from '@c2m/disk'
import { openExt4 } from '@c2m/filesystem'
import type { Rootfs } from '@c2m/plugin-api'
import { archiveRootfs, cleanRootfs, editRootfs, expressibleRootfs, indexLayer, joinRootfs } from '@c2m/rootfs'
import { mergeLayers, packRootfs, readTar, rootfsSummary, subtree, writeTar } from '@c2m/rootfs'
import type { TarInput } from '@c2m/rootfs'
import { treeOf } from '@c2m/testkit'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { joinMounts } from '../../packages/core/src/machine/mounts.js'
import { readPartitionTable } from '../../packages/disk/src/partition-table/read.js'
import { expectLinear } from './growth.js'

let folder = ''
let made = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-growth-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const TIME = { seconds: 0, nanoseconds: 0 }

function member(path: string, fields: Partial<TarInput> = {}): TarInput {
  const type = fields.type ?? (path.endsWith('/') ? 'directory' : 'file')
  return { path, type, mode: 0o755, uid: 0, gid: 0, mtime: TIME, size: 0, xattrs: new Map(), ...fields }
}

async function tarFile(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const path = join(folder, `${made++}.tar`)
  await writeFile(path, chunks)
  return path
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const deep = (name: string, depth: number) => times(depth, () => name).join('/')

async function treeOfMembers(path: string): Promise<Rootfs> {
  return archiveRootfs(await indexLayer(path))
}

/** The members of an archive, from its file to a tree that is walked and merged. */
async function whole(path: string): Promise<void> {
  await using tree = await mergeLayers([await indexLayer(path)])
  await rootfsSummary(tree)
}

const ofMembers = (make: (size: number) => readonly TarInput[]) => async (size: number) => {
  const path = await tarFile(writeTar(make(size)))
  return () => whole(path)
}

/** A tree, and what is done with it. */
const ofTree =
  (make: (size: number) => readonly TarInput[], use: (tree: Rootfs) => Promise<unknown>) => async (size: number) => {
    const path = await tarFile(writeTar(make(size)))
    return async () => {
      await using tree = await treeOfMembers(path)
      await use(tree)
    }
  }

/** All that a machine's tree goes through on its way to an image. */
async function convert(tree: Rootfs): Promise<void> {
  const rule = { id: 'a', summary: '', byDefault: true, remove: ['/**/x*'], empty: ['/cache'] }
  const cleaned = await cleanRootfs(tree, [rule])
  const edited = editRootfs(await expressibleRootfs(cleaned.rootfs))
  await edited.put({ path: 'etc/new', type: 'file', mode: 0o644 }, Buffer.from('new'))
  for await (const _ of packRootfs(edited, { order: 'storage', reuseMemory: true }));
}

const body = {
  size: 4,
  body: {
    async *[Symbol.asyncIterator]() {
      yield { offset: 0, data: Buffer.from('body') }
    },
  },
}

interface Growing {
  readonly largest: number
  readonly prepare: (size: number) => unknown
}

const TREES: Readonly<Record<string, Growing>> = {
  'an archive with many members': {
    largest: 32_768,
    prepare: ofMembers((size) => times(size, (index) => member(`d${index % 97}/f${index}`))),
  },
  'an archive as a stream': {
    largest: 32_768,
    prepare: async (size) => {
      const path = await tarFile(writeTar(times(size, (index) => member(`f${index}`))))
      return async () => {
        for await (const _ of readTar((await open(path)).createReadStream()));
      }
    },
  },
  'an archive with many attributes': {
    largest: 4096,
    prepare: ofMembers((size) =>
      times(size, (index) =>
        member(`f${index}`, { xattrs: new Map(times(50, (one) => [`user.${one}`, Buffer.from(`${index}`)])) }),
      ),
    ),
  },
  'an archive with many hard links': {
    largest: 32_768,
    prepare: ofMembers((size) => [
      member('f'),
      ...times(size, (index) => member(`h${index}`, { type: 'hardlink', linkTarget: 'f' })),
    ]),
  },
  'an archive with a long map of holes': {
    largest: 65_536,
    prepare: ofMembers((size) => [
      member('f', { size: size * 2, sparse: times(size, (index) => ({ offset: index * 2, length: 1 })) }),
    ]),
  },
  'a layer with many opaque whiteouts': {
    largest: 16_384,
    prepare: ofMembers((size) => times(size, (index) => member(index % 2 === 0 ? `d/f${index}` : 'd/.wh..wh..opq'))),
  },
  'a layer with many whiteouts': {
    largest: 16_384,
    prepare: ofMembers((size) => [
      ...times(size / 2, (index) => member(`d/f${index}`)),
      ...times(size / 2, (index) => member(`d/.wh.f${index}`)),
    ]),
  },
  'an archive with deep paths by turns': {
    largest: 2048,
    prepare: ofMembers((size) => times(size, (index) => member(`${deep(index % 2 === 0 ? 'a' : 'b', 1000)}/${index}`))),
  },
  'an archive that goes through links': {
    largest: 8192,
    prepare: ofMembers((size) => [
      member(`${deep('a', 200)}/`),
      ...times(10, (index) =>
        member(`l${index}`, { type: 'symlink', linkTarget: `/${deep('a', 200)}/${deep('..', 200)}/l${index + 1}` }),
      ),
      member('l10/'),
      ...times(size, (index) => member(`l${index % 10}/d${index}/f`)),
    ]),
  },
  'a tree with deep paths on its way to an image': {
    largest: 1024,
    prepare: ofTree((size) => times(size, (index) => member(`${deep(`${index % 2}`, 800)}/${index}`, body)), convert),
  },
  'a wide tree on its way to an image': {
    largest: 16_384,
    prepare: ofTree((size) => times(size, (index) => member(`d/${index}`, body)), convert),
  },
  'a tree with many hard links on its way to an image': {
    largest: 16_384,
    prepare: ofTree(
      (size) => [
        member('f', body),
        ...times(size, (index) => member(`h${index}`, { type: 'hardlink', linkTarget: 'f' })),
      ],
      convert,
    ),
  },
  'a part of a tree': {
    largest: 1024,
    prepare: ofTree(
      (size) => times(size, (index) => member(`${deep('a', 800)}/${index}`, body)),
      async (tree) => {
        const part = subtree(tree, deep('a', 400))
        for await (const { path } of part.walk()) await part.stat(path)
      },
    ),
  },
  'an edit of many names': {
    largest: 8192,
    prepare: (size) => async () => {
      const tree = await treeOf()
      for (let index = 0; index < size; index++)
        await tree.put({ path: `d${index % 31}/${index}`, type: 'file', mode: 0o644 })
      await rootfsSummary(tree)
    },
  },
  'an edit of deep names': {
    largest: 1024,
    prepare: (size) => async () => {
      const tree = editRootfs(await treeOf())
      for (let index = 0; index < size; index++)
        await tree.put({ path: `${deep(`${index % 2}`, 500)}/${index}`, type: 'file', mode: 0o644 })
      await rootfsSummary(tree)
    },
  },
  'many mounts': {
    largest: 512,
    prepare: async (size) => {
      const root = await treeOf(Object.fromEntries(times(size, (index) => [`m${index}/x`, ''])))
      const part = await treeOf({ a: '', 'b/c': '' })
      return () => rootfsSummary(joinRootfs(root, new Map(times(size, (index) => [`m${index}`, part]))))
    },
  },
  'a table of many mounts that lack their points': {
    largest: 512,
    prepare: async (size) => {
      const text = times(size, (index) => `LABEL=v${index} /m/${index} ext4`).join('\n')
      const root = { name: 'root', size: 1 }
      const volumes = times(size, (index) => ({
        name: `v${index}`,
        size: 1,
        filesystem: { type: 'ext4', label: `v${index}` },
        open: () => treeOf({ x: '' }),
      }))
      const tree = await treeOf({ 'etc/fstab': text })
      return async () =>
        rootfsSummary((await joinMounts(tree, root, [root, ...volumes], new Map(), () => undefined)).rootfs)
    },
  },
  'a chain of logical partitions': {
    largest: 4096,
    prepare: (size) => {
      const disk = Buffer.alloc((size * 2 + 8) * 512)
      const entry = (sector: number, slot: number, type: number, start: number, count: number) => {
        disk[sector * 512 + 446 + slot * 16 + 4] = type
        disk.writeUInt32LE(start, sector * 512 + 446 + slot * 16 + 8)
        disk.writeUInt32LE(count, sector * 512 + 446 + slot * 16 + 12)
        disk.writeUInt16LE(0xaa55, sector * 512 + 510)
      }
      entry(0, 0, 5, 1, size * 2 + 2)
      for (let at = 0; at < size; at++) {
        entry(1 + at * 2, 0, 0x83, 1, 1)
        if (at + 1 < size) entry(1 + at * 2, 1, 5, (at + 1) * 2, 2)
      }
      return () => readPartitionTable(async (offset, length) => disk.subarray(offset, offset + length), disk.length)
    },
  },
}

describe('time that trees take', () => {
  it.each(Object.entries(TREES))('of %s grows with their size only', (_name, { largest, prepare }) =>
    expectLinear({ smallest: largest / 16, largest }, prepare),
  )
})

const EXT4: Readonly<
  Record<string, { readonly largest: number; readonly fill: (top: string, size: number) => Promise<void> }>
> = {
  'a wide directory': {
    largest: 4096,
    fill: async (top, size) => {
      for (let index = 0; index < size; index++) await writeFile(join(top, `f${index}`), 'x')
    },
  },
  'deep directories': {
    largest: 1024,
    fill: async (top, size) => {
      const place = join(top, deep('a', 900))
      await mkdir(place, { recursive: true })
      for (let index = 0; index < size; index++) await writeFile(join(place, `${index}`), 'x')
    },
  },
  'files in many pieces': {
    largest: 1024,
    fill: async (top, size) => {
      await using file = await open(join(top, 'f'), 'w')
      for (let index = 0; index < size; index++) await file.write('x', index * 8192)
    },
  },
  'extended attributes': {
    largest: 512,
    fill: async (top, size) => {
      const script =
        'for i in $(seq $1); do : > f$i; setfattr -n user.a$i -v $i f$i; setfattr -n user.long -v $2 f$i; done'
      execFileSync('sh', ['-c', script, 'sh', String(size), 'x'.repeat(500)], { cwd: top })
    },
  },
  'symbolic links': {
    largest: 2048,
    fill: async (top, size) => {
      await mkdir(join(top, deep('a', 200)), { recursive: true })
      for (let index = 0; index < size; index++) await makeLink(`/${deep('a', 200)}`, join(top, `l${index}`))
    },
  },
}

const hasMkfs = (() => {
  try {
    return execFileSync('mkfs.ext4', ['-V'], { stdio: 'ignore' }) !== undefined
  } catch {
    console.warn('skipped: time that ext4 takes; install e2fsprogs')
    return false
  }
})()

describe.skipIf(!hasMkfs)('time that ext4 takes', () => {
  it.each(Object.entries(EXT4))('of %s grows with their size only', (_name, { largest, fill }) =>
    expectLinear({ smallest: largest / 16, largest }, async (size) => {
      const top = join(folder, `ext4-${made++}`)
      await mkdir(top)
      await fill(top, size)
      const image = `${top}.img`
      execFileSync('truncate', ['-s', '256M', image])
      execFileSync('mkfs.ext4', ['-q', '-F', '-d', top, image])
      return async () => {
        await using disk = await openDisk(image, { format: 'raw' })
        await using tree = await openExt4(disk.source)
        for await (const { path, type } of tree.walk()) {
          await tree.stat(path)
          if (type === 'symlink') await tree.resolve(path)
        }
        for await (const { body: content } of tree.contents()) for await (const _ of content);
      }
    }),
  )
})
