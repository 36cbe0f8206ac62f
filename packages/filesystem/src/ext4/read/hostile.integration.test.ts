import { run } from '@c2m/process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingForMount, missingTools, withMount } from '../testing/judge.js'
import { fillFolder } from './testing/exotic-folder.js'
import { attack } from './testing/mutations.js'

const missing = [...(await missingTools()), ...(await missingForMount())]
const RUNS = 400

/** Without checksums damage gets deeper. */
const KINDS = [
  ['ext2', '-t ext2 -b 1024'],
  ['ext3', '-t ext3 -b 4096 -I 256'],
  ['extents', '-t ext4 -O ^metadata_csum -b 1024'],
  ['checksums', '-t ext4 -b 1024'],
  ['inline data, ea_inode', '-t ext4 -O ^metadata_csum,inline_data,ea_inode -I 1024'],
  ['bigalloc, meta_bg', '-t ext4 -O ^metadata_csum,bigalloc,meta_bg,^resize_inode -C 16384 -b 1024'],
  ['64 KiB blocks', '-t ext4 -O ^metadata_csum,^has_journal -b 65536 -F'],
] as const

describe.skipIf(missing.length > 0)('a damaged file system', () => {
  let folder = ''
  let image = ''
  const shape = { names: 200, fragments: 400, blockSize: 1024 }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ext4-hostile-'))
    image = join(folder, 'image')
    await mkdir(join(folder, 'tree'))
    await fillFolder(join(folder, 'tree'), { ...shape, allocates: false })
    // content would only dilute the damage
    await rm(join(folder, 'tree/large'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function survive(seed: number): Promise<void> {
    const { outcomes, slowest } = await attack(await readFile(image), RUNS, seed)
    expect([...outcomes.keys()].filter((code) => !/^none$|^C2M_(EXT4|PATH)_/.test(code))).toEqual([])
    expect(outcomes.get('none')).toBeGreaterThan(0)
    expect(outcomes.size).toBeGreaterThan(1)
    expect(slowest).toBeLessThan(10_000)
  }

  it.each(KINDS)('is read or refused, never more: %s', async (_, args) => {
    await rm(image, { force: true })
    await run('/usr/sbin/mke2fs', ['-q', ...args.split(' '), '-d', join(folder, 'tree'), image, '24M'])
    await survive(1)
  })

  it.each(['^metadata_csum', 'metadata_csum'])(
    'with a journal is replayed or refused, never more: %s',
    async (feature) => {
      await rm(image, { force: true })
      await run('/usr/sbin/mke2fs', ['-q', '-t', 'ext4', '-b', '1024', '-O', feature, image, '24M'])
      const dirty = join(folder, 'dirty')
      await withMount(image, join(folder, 'mount'), 'rw', async () => {
        await fillFolder(join(folder, 'mount'), { ...shape, allocates: true })
        await rm(join(folder, 'mount/large'))
        await run('sync', ['-f', join(folder, 'mount')])
        await run('cp', [image, dirty])
      })
      await run('mv', [dirty, image])
      await survive(2)
    },
  )
})
