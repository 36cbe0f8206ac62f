import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Rootfs } from '@c2m/plugin-api'
import { readTar, writeTar, type TarInput } from '@c2m/rootfs'
import { EPOCH, member, treeFrom, withContent } from '../testing/tree.js'
import { convertUpper } from './upper.js'

const xattrs = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([name, value]) => [name, Buffer.from(value)]))
const whiteout = (path: string) => member(path, { type: 'character', mode: 0, device: { major: 0, minor: 0 } })
const copied = { 'user.overlay.origin': '' }

describe('an upper directory', () => {
  let folder = ''
  let base: Rootfs
  const warnings: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-upper-'))
    base = await treeFrom(join(folder, 'base.tar'), [
      member('./'),
      member('d/', { uid: 70_000, mode: 0o750 }),
      member('d/a', 'a'),
      withContent('far', member('d/far', { uid: 70_000, gid: 80_000, xattrs: xattrs({ 'trusted.x': '1' }) })),
      member('d/sub/'),
      member('d/sub/x', 'x'),
      member('link', { type: 'symlink', linkTarget: 'd' }),
      member('tmp/', { mode: 0o1777 }),
    ])
  })
  afterAll(async () => {
    await base[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  async function convert(members: TarInput[], mapped = true): Promise<TarInput[]> {
    const options = {
      base,
      mapped,
      sourceDateEpoch: EPOCH,
      contentless: ['tmp'],
      warn: (text: string) => void warnings.push(text),
    }
    const entries: TarInput[] = []
    const input = readTar(Readable.from(writeTar(members), { objectMode: false }))
    for await (const entry of convertUpper(input, options)) entries.push(entry)
    return entries
  }
  const paths = async (members: TarInput[]) => (await convert(members)).map(({ path }) => path)

  it('has whiteouts, the later ones as hard links', async () => {
    const members = [
      member('./'),
      whiteout('./d/a'),
      member('./d/far', { type: 'hardlink', linkTarget: './d/a' }),
      whiteout('./none'),
    ]
    expect(await paths(members)).toEqual(['d/.wh.a', 'd/.wh.far'])
  })

  it('has directories that hide those below', async () => {
    const opaque = { xattrs: xattrs({ 'user.overlay.opaque': 'y' }) }
    const same = { uid: 0, mode: 0o750 }
    expect(await paths([member('./d/', { ...same, ...opaque }), member('./d/sub/')])).toEqual([
      'd',
      'd/.wh..wh..opq',
      'd/sub',
    ])
    // nothing there to hide
    expect(await paths([member('./new/', opaque)])).toEqual(['new'])
    // a directory in the place of a symlink: what is in it has nothing to do with what the symlink led to
    expect(await paths([member('./link/'), member('./link/sub/')])).toEqual(['link', 'link/sub'])
    expect(await paths([member('./tmp/', { mode: 0o1777, ...opaque }), member('./tmp/x', 'x')])).toEqual(['tmp'])
  })

  it('has directories that were only gone through', async () => {
    const later = { seconds: EPOCH - 5, nanoseconds: 1 }
    const through = member('./d/', {
      uid: 0,
      mode: 0o750,
      mtime: later,
      xattrs: xattrs({ ...copied, 'user.overlay.impure': 'y' }),
    })
    expect(await paths([member('./'), through, member('./d/new', 'n')])).toEqual(['d/new'])
    expect(await convert([member('./d/', { uid: 0, mode: 0o700 })])).toMatchObject([
      { path: 'd', mode: 0o700, uid: 70_000 },
    ])
    expect(await convert([member('./d/', { uid: 3, mode: 0o750 })])).toMatchObject([{ path: 'd', uid: 3 }])
  })

  it('has copies whose metadata could not be unpacked, and new files', async () => {
    const [copy] = await convert([withContent('new', member('./d/far', { xattrs: xattrs(copied) }))])
    expect(copy).toMatchObject({ path: 'd/far', uid: 70_000, gid: 80_000 })
    expect([...copy!.xattrs.keys()]).toEqual(['trusted.x'])
    const [made] = await convert([withContent('new', member('./d/far'))])
    expect(made).toMatchObject({ uid: 0, gid: 0 })
    expect(made!.xattrs.size).toBe(0)
    // without a user namespace everything could be unpacked, so what is there is meant
    expect(await convert([member('./d/far', { xattrs: xattrs(copied) })], false)).toMatchObject([{ uid: 0 }])
  })

  it('has no times after the epoch', async () => {
    const times = [EPOCH + 1, EPOCH, EPOCH - 1].map((seconds) => ({ seconds, nanoseconds: 5 }))
    const entries = await convert(times.map((mtime, i) => member(`./n${i}`, { mtime })))
    const at = { seconds: EPOCH, nanoseconds: 0 }
    expect(entries.map(({ mtime }) => mtime)).toEqual([at, at, times[2]])
  })

  it('may hold names that a layer cannot', async () => {
    expect(await paths([member('./.wh.x', 'x'), member('./y', 'y')])).toEqual(['y'])
    expect(warnings.at(-1)).toContain('/.wh.x')
  })
})
