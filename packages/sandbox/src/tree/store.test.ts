import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { downloadsName, openStore } from './store.js'

const MAPPING = { uid: 1_879_048_192, gid: 1_879_048_192 }

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-store-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe.skipIf(process.getuid?.() !== 0)('the store of the sandbox', () => {
  it('hands its folder over to the container’s root', async () => {
    const store = await openStore(join(folder, 'cache'), MAPPING)
    expect(await stat(store.folder)).toMatchObject(MAPPING)
    expect((await stat(store.folder)).mode & 0o777).toBe(0o755)
    expect((await stat(store.root)).mode & 0o777).toBe(0o700)
  })

  it('hands over nothing that a link in its place leads to', async () => {
    await mkdir(join(folder, 'victim'), { mode: 0o700 })
    await mkdir(join(folder, 'cache/sandbox'), { recursive: true })
    await symlink(join(folder, 'victim'), join(folder, 'cache/sandbox/1879048192-1879048192'))
    await expect(openStore(join(folder, 'cache'), MAPPING)).rejects.toMatchObject({ code: 'C2M_FILE_ENOTDIR' })
    expect(await stat(join(folder, 'victim'))).toMatchObject({ uid: 0, mode: 0o40700 })
  })

  it('is not made in a cache that another user can write', async () => {
    await mkdir(join(folder, 'cache'), { mode: 0o777 })
    await chmod(join(folder, 'cache'), 0o777)
    await expect(openStore(join(folder, 'cache'), MAPPING)).rejects.toMatchObject({ code: 'C2M_CACHE_UNSAFE' })
  })
})

describe('the name of downloads', () => {
  it('has all of the base’s identity', () => {
    const ids = ['a'.repeat(63) + 'b', 'a'.repeat(64)]
    const [one, two] = ids.map((baseId) => downloadsName({ cacheGroup: 'debian-12-amd64', baseId }))
    expect(one).not.toBe(two)
    expect(one).toBe(`debian-12-amd64-${ids[0]}`)
  })
  it('is a file name, whatever the image calls itself', () => {
    for (const cacheGroup of ['../../x', 'x'.repeat(200), 'a\n', 'x'.repeat(128)])
      expect(downloadsName({ cacheGroup, baseId: 'b'.repeat(64) })).toMatch(/^[A-Za-z0-9_-]{64,200}$/)
  })
})
