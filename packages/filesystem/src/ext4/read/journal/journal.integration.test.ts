import { run } from '@c2m/process'
import { openDirectory } from '@c2m/rootfs'
import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debugfs, fsck, missingForMount, missingTools, withMount } from '../../testing/judge.js'
import { noise } from '../../testing/tree.js'
import { openExt4 } from '../open.js'
import { differences } from '../testing/images.js'
import { fileSource } from '../testing/sources.js'

const missing = [...(await missingTools()), ...(await missingForMount())]

/** How a machine that was never shut down leaves its journal: sync brings transactions there, not to their places. */
const KINDS = [
  { name: 'no checksums', args: '-t ext3', options: 'data=ordered' },
  { name: 'checksums v1', args: '-t ext4 -O ^metadata_csum', options: 'journal_checksum' },
  {
    name: 'checksums v1, asynchronous',
    args: '-t ext4 -O ^metadata_csum',
    options: 'journal_checksum,journal_async_commit,data=writeback',
  },
  { name: 'checksums v3', args: '-t ext4', options: 'data=ordered' },
  { name: 'checksums v3, 1 KiB blocks, a small journal', args: '-t ext4 -b 1024 -J size=1', options: 'data=ordered' },
  { name: 'without 64bit', args: '-t ext4 -O ^64bit,^metadata_csum', options: 'data=ordered' },
  { name: 'data in the journal', args: '-t ext4', options: 'data=journal' },
  { name: 'data in the journal of ext3', args: '-t ext3', options: 'data=journal' },
  { name: 'block maps', args: '-t ext4 -O ^extent,^64bit', options: 'data=journal' },
] as const

describe.skipIf(missing.length > 0)('a journal that was not replayed, judged by e2fsck and the kernel', () => {
  let folder = ''
  let image = ''
  let dirty = ''
  let replayed = ''
  let mount = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ext4-journal-'))
    image = join(folder, 'image')
    dirty = join(folder, 'dirty')
    replayed = join(folder, 'replayed')
    mount = join(folder, 'mount')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Directories that come and go, so that their blocks are revoked and become content. */
  const CHANGES = String.raw`
set -e
cd "$1"
for round in 1 2 3; do
  mkdir d$round && (cd d$round && seq -f 'name-%g' 400 | xargs touch)
  for i in $(seq 60); do head -c $((i * 300)) /dev/urandom > f$round-$i; done
  sync -f .
  [ $round = 1 ] || rm -r d$((round - 1))
  for i in $(seq 0 3 57); do rm f$round-$((i + 1)); ln f$round-$((i + 2)) l$round-$((i + 2)); done
  sync -f .
  for i in $(seq 30); do head -c 9000 /dev/urandom > g$round-$i; setfattr -n user.x$i -v $i g$round-$i; done
  sync -f .
done
mkdir -p last/deep && mv g1-1 last/deep/moved && chmod 4711 last/deep/moved && truncate -s 100 g1-2
`

  async function leaveDirty(args: string, options: string): Promise<void> {
    await rm(image, { force: true })
    await run('/usr/sbin/mke2fs', ['-q', ...args.split(' '), image, '64M'])
    await withMount(image, mount, options, async () => {
      await run('/bin/sh', ['-c', CHANGES, 'sh', mount])
      // blocks that look like the journal's own: they are escaped there
      const block = noise(40_960, 'escaped')
      for (let at = 0; at < block.length; at += 1024) block.writeUInt32BE(0xc03b3998, at)
      await writeFile(join(mount, 'escaped'), block)
      await run('sync', ['-f', mount])
      await copyFile(image, dirty)
    })
    await copyFile(dirty, replayed)
  }

  it.for(KINDS)('is replayed as they do: $name', async ({ args, options }) => {
    await leaveDirty(args, options)
    const before = await run('sha256sum', [dirty])
    const notices: string[] = []
    await using source = await fileSource(dirty)
    await using rootfs = await openExt4(source, { onNotice: (message) => notices.push(message) })
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatch(/^the file system was not unmounted: \d+ transactions? of its journal \(\d+ blocks\)/)

    await run('/usr/sbin/e2fsck', ['-E', 'journal_only', '-y', replayed], { accept: [0, 1] })
    await using judge = await fileSource(replayed)
    await using judged = await openExt4(judge)
    expect(await differences(judged, rootfs)).toEqual([])
    await fsck(replayed)
    await withMount(replayed, mount, 'ro', async () => {
      await using expected = await openDirectory(mount)
      expect(await differences(expected, rootfs)).toEqual([])
    })
    expect((await run('sha256sum', [dirty])).stdout).toBe(before.stdout)
  })

  it.for(['', '-c -v 1', '-c -v 2', '-c -v 3'])(
    'takes what debugfs puts into the journal: journal_open %s',
    async (checksums) => {
      await rm(image, { force: true })
      await mkdir(join(folder, 'tree'), { recursive: true })
      for (const name of ['changed', 'revoked', 'both']) await writeFile(join(folder, 'tree', name), noise(4096, name))
      await run('/usr/sbin/mke2fs', ['-q', '-t', 'ext4', '-b', '4096', '-d', join(folder, 'tree'), image, '32M'])
      const block = async (name: string): Promise<string> => (await debugfs(image, `blocks /${name}`)).trim()
      const escaped = noise(4096, 'new')
      escaped.writeUInt32BE(0xc03b3998)
      await writeFile(join(folder, 'new'), escaped)
      const commands = [
        `jo ${checksums}`,
        `jw -b ${await block('changed')} ${join(folder, 'new')}`,
        `jw -b ${await block('revoked')} ${join(folder, 'new')}`,
        `jw -r ${await block('revoked')}`,
        `jw -b ${await block('both')} ${join(folder, 'tree/revoked')}`,
        `jw -r ${await block('both')}`,
        `jw -b ${await block('both')} ${join(folder, 'new')}`,
        'jc',
      ]
      await writeFile(join(folder, 'commands'), commands.join('\n'))
      await run('/usr/sbin/debugfs', ['-w', '-f', join(folder, 'commands'), image])
      await copyFile(image, replayed)
      await using source = await fileSource(image)
      await using rootfs = await openExt4(source)
      const read = async (name: string): Promise<Buffer> => {
        const bytes = Buffer.alloc(4096)
        for await (const { offset, data } of rootfs.stream(name)) bytes.set(data, offset)
        return bytes
      }
      expect((await read('changed')).equals(escaped)).toBe(true)
      expect((await read('revoked')).equals(noise(4096, 'revoked'))).toBe(true)
      expect((await read('both')).equals(escaped)).toBe(true)
      await run('/usr/sbin/e2fsck', ['-E', 'journal_only', '-y', replayed], { accept: [0, 1] })
      await using judge = await fileSource(replayed)
      await using judged = await openExt4(judge)
      expect(await differences(judged, rootfs)).toEqual([])
    },
  )

  it('says that fast commits are missing', async () => {
    await rm(image, { force: true })
    await run('/usr/sbin/mke2fs', ['-q', '-t', 'ext4', '-O', 'fast_commit', image, '64M'])
    await withMount(image, mount, 'data=ordered', async () => {
      await writeFile(join(mount, 'first'), 'first')
      await run('sync', ['-f', mount])
      const file = await open(join(mount, 'first'), 'a')
      await file.write(noise(10_000, 'second'))
      await file.sync()
      await file.close()
      await copyFile(image, dirty)
    })
    const notices: string[] = []
    await using source = await fileSource(dirty)
    await using rootfs = await openExt4(source, { onNotice: (message) => notices.push(message) })
    expect(notices.join()).toContain('fast commits')
    expect(await rootfs.stat('first')).toMatchObject({ size: 5 })
  })
})
