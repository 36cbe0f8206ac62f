import { describe, expect, it } from 'vitest'
import type { CleaningRule } from '@c2m/plugin-api'
import {
  codeOf,
  describeTree,
  hardLink,
  member,
  merged,
  readContents,
  symlink,
  temporaryFolder,
} from '../testing/fixtures.js'
import { packRootfs } from '../tar/pack.js'
import { collect, readAll } from '../testing/fixtures.js'
import { cleanRootfs } from './cleaning.js'
import { filterRootfs } from './cut.js'

const folder = temporaryFolder()

function rule(id: string, fields: Partial<CleaningRule>): CleaningRule {
  return { id, summary: `the ${id}`, byDefault: true, ...fields }
}

const MEMBERS = [
  member('boot/'),
  member('boot/kernel', { content: 'kernel' }),
  member('boot/mine/'),
  member('boot/mine/deep/'),
  member('boot/mine/deep/note', { content: 'n' }),
  member('boot/mine/other', { content: 'o' }),
  member('etc/'),
  member('etc/id', { content: 'secret' }),
  hardLink('etc/id-too', 'etc/id'),
  member('etc/both', { content: '12345' }),
  hardLink('boot/both', 'etc/both'),
  member('tmp/'),
  member('tmp/a/'),
  member('tmp/a/b', { content: 'b' }),
  symlink('lib', 'usr/lib'),
  member('usr/'),
  member('usr/lib/'),
  member('usr/lib/modules/'),
  member('usr/lib/modules/m', { content: 'm' }),
  member('var/'),
  member('var/data/'),
  member('var/data/d', { content: 'data' }),
]

describe('cleanRootfs', () => {
  it('removes, empties and truncates, and counts by rule', async () => {
    await using base = await merged(folder, MEMBERS)
    const { rootfs, results } = await cleanRootfs(base, [
      rule('kernel', { remove: ['/boot/kernel', '/lib/modules', '/usr/lib/modules'] }),
      rule('temporary', { empty: ['/tmp'] }),
      rule('id', { truncate: ['/etc/id'] }),
      rule('data', { remove: ['/var/data'], byDefault: false }),
    ])
    expect(await describeTree(rootfs)).toEqual([
      '/ directory 755',
      'boot directory 755',
      'boot/both file 644 "12345" 2x boot/both',
      'boot/mine directory 755',
      'boot/mine/deep directory 755',
      'boot/mine/deep/note file 644 "n" 1x boot/mine/deep/note',
      'boot/mine/other file 644 "o" 1x boot/mine/other',
      'etc directory 755',
      'etc/both file 644 "12345" 2x boot/both',
      'etc/id file 644 "" 1x etc/id',
      'etc/id-too file 644 "secret" 1x etc/id-too',
      'lib symlink 777 -> usr/lib 1x lib',
      'tmp directory 755',
      'usr directory 755',
      'usr/lib directory 755',
      'var directory 755',
      'var/data directory 755',
      'var/data/d file 644 "data" 1x var/data/d',
    ])
    expect(results).toEqual([
      {
        id: 'kernel',
        summary: 'the kernel',
        applied: true,
        because: 'default',
        removed: 3,
        emptied: 0,
        bytes: 7,
        samples: ['boot/kernel', 'usr/lib/modules'],
      },
      expect.objectContaining({ id: 'temporary', removed: 2, bytes: 1, samples: ['tmp/a'] }),
      expect.objectContaining({ id: 'id', removed: 0, emptied: 1, bytes: 0, samples: ['etc/id'] }),
      expect.objectContaining({ id: 'data', applied: false, removed: 2, bytes: 4, samples: ['var/data'] }),
    ])
    expect(await base.stat('etc/id')).toMatchObject({ size: 6, nlink: 2 })
    const emptied = await rootfs.stat('etc/id')
    expect(emptied?.inode).not.toBe((await rootfs.stat('etc/id-too'))?.inode)
    expect(Object.fromEntries(await readContents(rootfs))).toEqual({
      'etc/id': '',
      'etc/id-too': 'secret',
      'boot/both': '12345',
      'boot/mine/deep/note': 'n',
      'boot/mine/other': 'o',
      'var/data/d': 'data',
    })
    expect(await codeOf(collect(packRootfs(rootfs)))).toBe('no error')
    const packed = await readAll(await collect(packRootfs(rootfs, { order: 'storage' })))
    expect(packed.map(({ path }) => path)).toHaveLength(18)
    await expect(readContentOf(rootfs, 'tmp/a/b')).rejects.toThrow(/does not exist/)
    expect(await rootfs.resolve('tmp/a')).toBeUndefined()
    expect(await rootfs.list('boot')).toEqual(['both', 'mine'])
  })

  it('keeps what is excepted with all below it and the directories above it', async () => {
    await using base = await merged(folder, MEMBERS)
    const { rootfs, results } = await cleanRootfs(base, [
      rule('boot', { remove: ['/boot'], except: ['/boot/mine/deep'] }),
      rule('etc', { remove: ['/etc/both'] }),
    ])
    expect(await rootfs.list('boot')).toEqual(['mine'])
    expect(await rootfs.list('boot/mine')).toEqual(['deep'])
    expect(await rootfs.list('boot/mine/deep')).toEqual(['note'])
    expect(results[0]).toMatchObject({ removed: 3, bytes: 7 })
    // the bytes of a file with two names go with the last of them
    expect(results[1]).toMatchObject({ removed: 1, bytes: 5 })
  })

  it('excepts from one rule only', async () => {
    await using base = await merged(folder, MEMBERS)
    const { rootfs } = await cleanRootfs(base, [
      rule('boot', { remove: ['/boot'], except: ['/boot/mine'] }),
      rule('mine', { remove: ['/boot/mine/deep'] }),
    ])
    expect(await rootfs.list('boot/mine')).toEqual(['other'])
  })

  it('does what it is asked: keep wins over clean, all is all', async () => {
    await using base = await merged(folder, MEMBERS)
    const rules = [rule('boot', { remove: ['/boot'] }), rule('data', { remove: ['/var/data'], byDefault: false })]
    const names = async (selection: object) => (await cleanRootfs(base, rules, selection)).rootfs.list('')
    const without = async (selection: object) => {
      const { rootfs } = await cleanRootfs(base, rules, selection)
      return [await rootfs.stat('boot'), await rootfs.stat('var/data')].map((entry) => entry === undefined)
    }
    expect(await names({ keep: ['all'] })).toEqual(['boot', 'etc', 'lib', 'tmp', 'usr', 'var'])
    expect(await without({})).toEqual([true, false])
    expect(await without({ clean: ['data'] })).toEqual([true, true])
    expect(await without({ clean: ['all'], keep: ['boot'] })).toEqual([false, true])
    const { results } = await cleanRootfs(base, rules, { keep: ['boot'] })
    expect(results[0]).toMatchObject({ applied: false, because: 'asked', removed: 7 })
    expect(await codeOf(cleanRootfs(base, rules, { keep: ['boots'] }))).toBe('C2M_UNKNOWN_CLEANING_RULE')
  })

  it('removes files of a name without directories that have it too', async () => {
    await using base = await merged(folder, MEMBERS)
    const { rootfs, results } = await cleanRootfs(base, [
      rule('any', { removeFiles: ['/boot/{kernel,mine}', '/lib', '/tmp'], except: ['/boot/kernel'] }),
    ])
    expect(await rootfs.list('')).toEqual(['boot', 'etc', 'tmp', 'usr', 'var'])
    expect(await rootfs.list('boot')).toEqual(['both', 'kernel', 'mine'])
    expect(await rootfs.list('tmp/a')).toEqual(['b'])
    expect(results[0]).toMatchObject({ removed: 1, samples: ['lib'] })
  })

  it('never takes the root away', async () => {
    await using base = await merged(folder, MEMBERS)
    const { rootfs } = await cleanRootfs(base, [rule('all-of-it', { remove: ['/**', '/'] })])
    expect(await describeTree(rootfs)).toEqual(['/ directory 755'])
  })

  it('can clean what was cleaned', async () => {
    await using base = await merged(folder, MEMBERS)
    const once = await cleanRootfs(base, [rule('a', { truncate: ['/etc/id'] })])
    const twice = await cleanRootfs(once.rootfs, [rule('b', { truncate: ['/etc/both', '/boot/both'] })])
    const inodes = new Set<number>()
    for await (const { inode } of twice.rootfs.walk()) inodes.add(inode)
    expect(inodes.size).toBe((await describeTree(twice.rootfs)).length)
    expect([...(await readContents(twice.rootfs)).values()].sort()).toEqual(
      ['', '', '', 'b', 'data', 'kernel', 'm', 'n', 'o', 'secret'].sort(),
    )
  })
})

describe('filterRootfs', () => {
  it('gives what is below a directory its verdict unless it has its own', async () => {
    await using base = await merged(folder, MEMBERS)
    const gone: string[] = []
    const rootfs = await filterRootfs(
      base,
      ({ path }) => {
        if (path === 'boot/mine') return { fate: 'remove', reason: 'asked' }
        return path === 'boot/mine/other' ? { fate: 'keep' } : undefined
      },
      ({ path }) => gone.push(path),
    )
    expect(await rootfs.list('boot/mine')).toEqual(['other'])
    expect(gone).toEqual(['boot/mine/deep/note', 'boot/mine/deep'])
  })
})

async function readContentOf(rootfs: { stream(path: string): AsyncIterable<unknown> }, path: string): Promise<number> {
  let extents = 0
  for await (const _ of rootfs.stream(path)) extents++
  return extents
}
