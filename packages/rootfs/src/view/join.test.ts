import type { Rootfs } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { describeTree, hardLink, member, merged, readContents, symlink, temporaryFolder } from '../testing/fixtures.js'
import { joinRootfs } from './join.js'

describe('trees mounted on each other', () => {
  const folder = temporaryFolder()

  async function machine(): Promise<Rootfs> {
    const root = await merged(folder, [
      member('etc/', { mode: 0o700 }),
      member('etc/fstab', { content: 'f' }),
      member('data/'),
      member('link', { content: 'same' }),
      hardLink('link2', 'link'),
      symlink('logs', 'var/log'),
      member('var/'),
      member('var/hidden', { content: 'never seen' }),
    ])
    const variable = await merged(folder, [
      member('./', { mode: 0o711 }),
      member('lib/'),
      member('lib/state', { content: 'state' }),
      member('log/'),
      member('log/hidden', { content: 'never seen' }),
      symlink('up', '../etc/fstab'),
      symlink('absolute', '/data'),
    ])
    const log = await merged(folder, [
      member('./', { mode: 0o750 }),
      member('a', { content: 'same' }),
      hardLink('b', 'a'),
      member('deep/'),
      member('deep/c', { content: 'c' }),
    ])
    return joinRootfs(
      root,
      new Map([
        ['/var/log', log],
        ['/var', variable],
      ]),
    )
  }

  it('are walked as one, with hidden names hidden and hard links kept apart', async () => {
    expect(await describeTree(await machine())).toEqual([
      '/ directory 755',
      'data directory 755',
      'etc directory 700',
      'etc/fstab file 644 "f" 1x etc/fstab',
      'link file 644 "same" 2x link',
      'link2 file 644 "same" 2x link',
      'logs symlink 777 -> var/log 1x logs',
      'var directory 711',
      'var/absolute symlink 777 -> /data 1x var/absolute',
      'var/lib directory 755',
      'var/lib/state file 644 "state" 1x var/lib/state',
      'var/log directory 750',
      'var/log/a file 644 "same" 2x var/log/a',
      'var/log/b file 644 "same" 2x var/log/a',
      'var/log/deep directory 755',
      'var/log/deep/c file 644 "c" 1x var/log/deep/c',
      'var/up symlink 777 -> ../etc/fstab 1x var/up',
    ])
  })

  it('follow links across their borders', async () => {
    const rootfs = await machine()
    expect(await rootfs.resolve('logs/deep/c')).toBe('var/log/deep/c')
    expect(await rootfs.resolve('var/up')).toBe('etc/fstab')
    expect(await rootfs.resolve('var/absolute')).toBe('data')
    expect(await rootfs.list('var/log')).toEqual(['a', 'b', 'deep'])
    expect((await rootfs.stat('logs/a'))?.path).toBe('var/log/a')
    expect(await rootfs.stat('var/hidden')).toBeUndefined()
  })

  it('give every body once', async () => {
    expect(Object.fromEntries(await readContents(await machine()))).toEqual({
      'etc/fstab': 'f',
      link: 'same',
      'var/lib/state': 'state',
      'var/log/a': 'same',
      'var/log/deep/c': 'c',
    })
  })

  it('are walked from within', async () => {
    const paths: string[] = []
    for await (const { path } of (await machine()).walk('var/log')) paths.push(path)
    expect(paths).toEqual(['var/log', 'var/log/a', 'var/log/b', 'var/log/deep', 'var/log/deep/c'])
  })
})
