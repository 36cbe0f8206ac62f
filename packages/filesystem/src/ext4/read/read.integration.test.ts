import { run } from '@c2m/process'
import { openDirectory } from '@c2m/rootfs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingForMount, missingTools, withMount } from '../testing/judge.js'
import { openExt4 } from './open.js'
import { probeExt4 } from './probe.js'
import { noise } from '../testing/tree.js'
import { fillFolder } from './testing/exotic-folder.js'
import { differences, digests, streamDigests } from './testing/images.js'
import { fileSource } from './testing/sources.js'

const missing = [...(await missingTools()), ...(await missingForMount())]

interface Kind {
  readonly name: string
  /** Arguments of mke2fs. */
  readonly args: string
  /** Bytes; default 4096. */
  readonly block?: number
  readonly size?: string
  /** Names in the large directory. */
  readonly names?: number
  /** Not every kernel is built to mount it. */
  readonly rare?: true
}

const KINDS: readonly Kind[] = [
  { name: 'ext2', args: '-t ext2 -b 4096' },
  { name: 'ext2, 1 KiB blocks', args: '-t ext2 -b 1024', block: 1024 },
  { name: 'ext3', args: '-t ext3 -b 2048', block: 2048 },
  { name: 'ext4', args: '-t ext4' },
  {
    name: 'a huge directory',
    args: '-t ext4 -b 1024 -N 110000 -O large_dir',
    block: 1024,
    size: '256M',
    names: 100_000,
  },
  { name: '64 KiB blocks', args: '-t ext4 -b 65536 -F', block: 65536, size: '512M', rare: true },
  { name: 'block maps', args: '-t ext4 -O ^extent,^64bit' },
  { name: 'inline data', args: '-t ext4 -O inline_data' },
  { name: 'inline data, large inodes', args: '-t ext4 -O inline_data -I 1024' },
  { name: 'inodes of 128 bytes', args: '-t ext4 -I 128' },
  { name: 'bigalloc', args: '-t ext4 -O bigalloc -C 65536', size: '1G' },
  { name: 'bigalloc, 1 KiB blocks', args: '-t ext4 -b 1024 -O bigalloc -C 16384', block: 1024 },
  { name: 'meta_bg', args: '-t ext4 -O meta_bg,^resize_inode -b 1024 -g 1024', block: 1024 },
  { name: 'meta_bg, without 64bit', args: '-t ext4 -O meta_bg,^resize_inode,^64bit -b 1024 -g 512', block: 1024 },
  { name: 'sparse_super2', args: '-t ext4 -O sparse_super2,meta_bg,^resize_inode -b 1024 -g 1024', block: 1024 },
  { name: 'without 64bit', args: '-t ext4 -O ^64bit' },
  { name: 'uninit_bg', args: '-t ext4 -O ^metadata_csum,uninit_bg' },
  { name: 'metadata_csum_seed', args: '-t ext4 -O metadata_csum_seed -U 11111111-2222-3333-4444-555555555555' },
  { name: 'without flex_bg', args: '-t ext4 -O ^flex_bg' },
  { name: 'ea_inode', args: '-t ext4 -O ea_inode' },
  { name: 'casefold', args: '-t ext4 -O casefold -E encoding=utf8', rare: true },
  { name: 'large_dir, verity', args: '-t ext4 -O large_dir,verity' },
  { name: 'project, quota', args: '-t ext4 -O project,quota', rare: true },
  { name: 'orphan_file, fast_commit', args: '-t ext4 -O orphan_file,fast_commit' },
  { name: 'encrypt', args: '-t ext4 -O encrypt' },
  { name: 'without filetype', args: '-t ext4 -O ^filetype,^dir_index' },
  { name: 'mmp', args: '-t ext4 -O mmp' },
]

describe.skipIf(missing.length > 0)('ext2, ext3 and ext4, judged by e2fsprogs and the kernel', () => {
  let folder = ''
  let image = ''
  let mount = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ext4-read-'))
    image = join(folder, 'image')
    mount = join(folder, 'mount')
    await mkdir(join(folder, 'tree'))
    await fillFolder(join(folder, 'tree'), {
      names: 400,
      fragments: 700,
      blockSize: 4096,
      allocates: false,
    })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function make(args: string, size = '96M', tree?: string): Promise<void> {
    await rm(image, { force: true })
    const from = tree === undefined ? [] : ['-d', tree]
    await run('/usr/sbin/mke2fs', ['-q', ...args.split(' '), ...from, image, size])
  }

  it.each(KINDS)('reads what mke2fs wrote: $name', async ({ args, size }) => {
    await make(args, size, join(folder, 'tree'))
    await using source = await fileSource(image)
    await using expected = await openDirectory(join(folder, 'tree'))
    await using rootfs = await openExt4(source)
    // mke2fs keeps whole seconds of 32 bits, none of the root, no second name of a symlink, and cuts a file that
    // begins with a hole when it starts out inline (debugfs tells the same size)
    const found = await differences(expected, rootfs, {
      wholeSeconds: true,
      ignore: (path, aspect) =>
        (aspect === 'mtime' && ['', 'empty'].includes(path)) ||
        (aspect === 'hard links' && /^s[12]$/.test(path)) ||
        (aspect === 'size' && path === 'sparse' && args.includes('inline_data')),
    })
    expect(found).toEqual([])
  })

  it.for(KINDS)(
    'reads what the kernel wrote: $name',
    async ({ name, args, size, names = 3000, block: blockSize = 4096, rare }, { skip }) => {
      await make(args, size)
      const allocates = !/^ext[23]|block maps/.test(name)
      try {
        await withMount(image, mount, 'rw', async () => {
          await fillFolder(mount, { names, fragments: 3000, blockSize, allocates })
          if (name === 'ea_inode') await addLargeAttributes(mount)
        })
      } catch (error) {
        if (rare === undefined || !String(error).includes('mount')) throw error
        console.warn(`SKIPPED: this kernel does not mount ext4 with ${name}`)
        skip()
      }
      await using source = await fileSource(image)
      const notices: string[] = []
      await using rootfs = await openExt4(source, { onNotice: (message) => notices.push(message) })
      await withMount(image, mount, 'ro', async () => {
        await using expected = await openDirectory(mount)
        expect(await differences(expected, rootfs)).toEqual([])
      })
      const seen = await digests(rootfs)
      expect(seen.size).toBeGreaterThan(names - 100)
      if (names < 10_000) expect(await streamDigests(rootfs, seen.keys())).toEqual(seen)
      expect(notices).toEqual([])
      expect((await probeExt4(source))?.type).toBe(/^ext[23]/.exec(name)?.[0] ?? 'ext4')
    },
  )

  /** Values that no block holds, one of them in two files. */
  async function addLargeAttributes(top: string): Promise<void> {
    const value = `0x${noise(30_000, 'attribute').toString('hex')}`
    for (const path of ['attributes', 'dir', 'large']) {
      await run('setfattr', ['-n', 'trusted.large', '-v', value, join(top, path)])
    }
    await run('setfattr', ['-n', 'user.grün', '-v', `0x${noise(5000, 'more').toString('hex')}`, join(top, 'large')])
  }
})
