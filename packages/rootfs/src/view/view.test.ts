import { describe, expect, it } from 'vitest'
import { compareRootfs, rootfsSummary } from '../compare/compare.js'
import {
  collect,
  describeTree,
  hardLink,
  member,
  merged,
  readAll,
  readContents,
  symlink,
  temporaryFolder,
} from '../testing/fixtures.js'
import { packRootfs } from '../tar/pack.js'
import { editRootfs } from '../edit/edit.js'
import { subtree, withoutContents } from './subtree.js'

const folder = temporaryFolder()
const MEMBERS = [
  member('a', { content: 'shared' }),
  member('boot/'),
  member('boot/k', { content: 'kernel' }),
  hardLink('boot/l', 'a'),
  hardLink('boot/m', 'a'),
  symlink('boot/s', '/k'),
  member('bootx', { content: 'x' }),
]

describe('subtree', () => {
  it('shows a directory as the root, links resolved within', async () => {
    await using rootfs = await merged(folder, MEMBERS)
    const boot = subtree(rootfs, 'boot')
    expect(await describeTree(boot)).toEqual([
      '/ directory 755',
      'k file 644 "kernel" 1x k',
      'l file 644 "shared" 2x l',
      'm file 644 "shared" 2x l',
      's symlink 777 -> /k 1x s',
    ])
    expect([...(await readContents(boot))].sort()).toEqual([
      ['k', 'kernel'],
      ['l', 'shared'],
    ])
    expect(await boot.resolve('s')).toBe('k')
    expect(await boot.list('')).toEqual(['k', 'l', 'm', 's'])
    expect(await describeTree(subtree(rootfs, ''))).toEqual(await describeTree(rootfs))
  })
})

describe('withoutContents', () => {
  it('empties directories and leaves them', async () => {
    await using rootfs = await merged(folder, MEMBERS)
    const root = withoutContents(rootfs, ['boot'])
    expect(await describeTree(root)).toEqual([
      '/ directory 755',
      'a file 644 "shared" 1x a',
      'boot directory 755',
      'bootx file 644 "x" 1x bootx',
    ])
    expect([...(await readContents(root)).keys()].sort()).toEqual(['a', 'bootx'])
    expect(await root.stat('boot/k')).toBeUndefined()
    expect(await root.list('boot')).toEqual([])
  })
})

describe('packRootfs', () => {
  it('writes each file once and its other names as links, in both orders', async () => {
    await using rootfs = await merged(folder, MEMBERS)
    const byPath = await readAll(await collect(packRootfs(rootfs)))
    expect(byPath.map(({ path }) => path)).toEqual([
      './',
      'a',
      'boot/',
      'boot/k',
      'boot/l',
      'boot/m',
      'boot/s',
      'bootx',
    ])
    expect(byPath.filter(({ content }) => content !== '').map(({ path }) => path)).toEqual(['a', 'boot/k', 'bootx'])
    const byStorage = await readAll(await collect(packRootfs(rootfs, { order: 'storage' })))
    expect(byStorage.map(({ path }) => path)).toEqual([
      './',
      'boot/',
      'boot/s',
      'a',
      'boot/l',
      'boot/m',
      'boot/k',
      'bootx',
    ])
  })

  it('reports sockets', async () => {
    await using base = await merged(folder, [])
    const edit = editRootfs(base)
    await edit.put({ path: 'run/s', type: 'socket', mode: 0o777 })
    await expect(collect(packRootfs(edit))).rejects.toThrow(/"run\/s" is a socket/)
    const omitted: string[] = []
    await collect(packRootfs(edit, { onOmitted: (entry) => omitted.push(entry.path) }))
    expect(omitted).toEqual(['run/s'])
  })
})

describe('compareRootfs', () => {
  it('finds every kind of difference', async () => {
    const time = (seconds: number, nanoseconds = 0) => ({ mtime: { seconds, nanoseconds } })
    const device = (minor: number) => member('dev', { type: 'character', device: { major: 1, minor } })
    await using a = await merged(folder, [
      ...['both', 'only-a', 'content', 'mode', 'owner', 'mtime', 'ns', 'xattrs', 'h2', 'type'].map((name) =>
        member(name, { content: 'abc' }),
      ),
      member('size', { content: 'abcd' }),
      hardLink('h1', 'h2'),
      symlink('link', 'x'),
      device(1),
    ])
    await using b = await merged(folder, [
      member('both', { content: 'abc' }),
      member('content', { content: 'abd' }),
      member('size', { content: 'abc' }),
      member('mode', { content: 'abc', mode: 0o4755 }),
      member('owner', { content: 'abc', gid: 4_000_000_000 }),
      member('mtime', { content: 'abc', ...time(1) }),
      member('ns', { content: 'abc', ...time(1_600_000_000, 1) }),
      member('xattrs', { content: 'abc', xattrs: new Map([['user.a', new Uint8Array(0)]]) }),
      member('h1', { content: 'abc' }),
      member('h2', { content: 'abc' }),
      member('type/'),
      symlink('link', 'y'),
      device(2),
    ])
    const found = (await compareRootfs(a, b)).map(({ path, aspect }) => `${path}: ${aspect}`)
    const expected = [
      'content: content',
      'dev: device',
      'h1: hard links',
      'h2: hard links',
      'link: link target',
      'mode: mode',
    ]
    expected.push(
      'mtime: mtime',
      'ns: mtime',
      'only-a: existence',
      'owner: owner',
      'size: size',
      'type: mode',
      'type: type',
      'xattrs: xattrs',
    )
    expect(found.sort()).toEqual(expected)
    expect(await compareRootfs(a, a)).toEqual([])
    expect(await compareRootfs(a, b, { limit: 2 })).toHaveLength(2)
    const seconds = await compareRootfs(a, b, { wholeSeconds: true, ignore: (path) => path !== 'ns' })
    expect(seconds).toEqual([])
    expect(await rootfsSummary(a)).toEqual({ entries: 15, bytes: 34 })
  })
})
