import fc from 'fast-check'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTemporaryFolder, ownMark } from '@c2m/process'
import { listCache, pruneCache } from './cache.js'
import { canonicalJson } from './canonical-json.js'
import { isLocked, takeLock } from './lock.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-cache-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function put(path: string, days = 0): Promise<void> {
  const file = join(folder, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, Buffer.alloc(5000))
  const time = new Date(Date.now() - days * 86_400_000)
  await utimes(file, time, time)
}

describe('the cache', () => {
  it('is empty when there is none', async () => {
    expect((await listCache(join(folder, 'none'))).map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0])
    expect(await pruneCache(join(folder, 'none'))).toBe(0)
  })

  it('is counted by kind and pruned by age', async () => {
    await put('blobs/sha256/a', 3)
    await put('blobs/sha256/b')
    await put('layers/sha256/c.tar', 3)
    await put('packages/d.tar')
    await put('packages/d.json')
    await put('qemu/accelerator.json')
    const items = Object.fromEntries((await listCache(folder)).map((item) => [item.kind, item]))
    expect(items).toMatchObject({
      blobs: { count: 2 },
      layers: { count: 1 },
      packages: { count: 1 },
      other: { count: 1 },
    })
    const size = (await stat(join(folder, 'packages/d.tar'))).blocks * 512
    expect(items.blobs?.bytes).toBe(2 * size)
    expect(await pruneCache(folder, { olderThanDays: 2 })).toBe(2 * size)
    expect(await readdir(join(folder, 'blobs/sha256'))).toEqual(['b'])
    expect(await pruneCache(folder)).toBe(4 * size)
  })

  it.each(['thesis.txt', 'docs/a.md', 'index.json'])('is left alone where %s lies in it', async (name) => {
    await put('blobs/sha256/a')
    await put(name)
    await mkdir(join(folder, 'lost+found'))
    await expect(pruneCache(folder)).rejects.toMatchObject({ code: 'C2M_CACHE_FOREIGN' })
    expect(await readdir(join(folder, 'blobs/sha256'))).toEqual(['a'])
    expect((await listCache(folder)).map(({ count }) => count)).toEqual([1, 0, 0, 0, 0, 0])
    await rm(join(folder, name))
    expect(await pruneCache(folder)).toBeGreaterThan(0)
  })

  it('is listed and pruned without what its links lead to', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'c2m-elsewhere-'))
    await writeFile(join(elsewhere, 'important'), 'x')
    await mkdir(join(elsewhere, 'bases/kept'), { recursive: true })
    await mkdir(join(folder, 'sandbox'))
    await symlink(elsewhere, join(folder, 'sandbox/0-0'))
    for (const name of ['blobs', 'packages', 'temporary']) await symlink(elsewhere, join(folder, name))
    await mkdir(join(folder, 'layers'))
    await symlink(elsewhere, join(folder, 'layers/sha256'))
    await listCache(folder)
    await pruneCache(folder).catch(() => undefined)
    expect((await readdir(elsewhere)).sort()).toEqual(['bases', 'important'])
    expect(await readdir(join(elsewhere, 'bases'))).toEqual(['kept'])
    await rm(elsewhere, { recursive: true })
  })

  it('is not even looked at when others can write it', async () => {
    await put('blobs/sha256/a')
    await chmod(folder, 0o777)
    await expect(pruneCache(folder)).rejects.toMatchObject({ code: 'C2M_CACHE_UNSAFE' })
    await expect(listCache(folder)).rejects.toMatchObject({ code: 'C2M_CACHE_UNSAFE' })
    expect(await readdir(join(folder, 'blobs/sha256'))).toEqual(['a'])
  })

  it('keeps what a running process works on', async () => {
    await using busy = await makeTemporaryFolder(join(folder, 'temporary'), 'image')
    await writeFile(join(busy.path, 'x'), 'x')
    await put(`temporary/image.${process.pid}.1.gone/y`)
    await pruneCache(folder)
    expect(await readdir(busy.path)).toContain('x')
    expect(await readdir(join(folder, 'temporary', `image.${process.pid}.1.gone`))).toEqual([])
  })
})

describe('a lock', () => {
  it('is held by one at a time', async () => {
    const path = join(folder, 'locks', 'x')
    let inside = 0
    let most = 0
    const waited: number[] = []
    const work = async () => {
      await using _lock = await takeLock(path, { onWait: (pid) => waited.push(pid) })
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 20))
      inside--
    }
    await Promise.all([work(), work(), work()])
    expect(most).toBe(1)
    expect(waited).toEqual([process.pid, process.pid])
    expect(await readdir(join(folder, 'locks'))).toEqual([])
  })

  it.each([
    ['of a process that is gone', async () => (await ownMark()).replace(/^\d+/, '4194303')],
    ['of an earlier process with the same id', async () => (await ownMark()).replace(/\.\d+-/, '.1-')],
    ['that is damaged', async () => ''],
  ])('%s is broken', async (_what, text) => {
    const path = join(folder, 'x')
    await writeFile(path, await text())
    expect(await isLocked(path)).toBe(false)
    await using _lock = await takeLock(path)
    expect(await isLocked(path)).toBe(true)
  })

  it('is no longer waited for after an interruption', async () => {
    const path = join(folder, 'x')
    await writeFile(path, await ownMark())
    await expect(takeLock(path, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    // of another machine or process namespace nobody can tell
    await writeFile(path, '1.1-0123456789abcdef')
    await expect(takeLock(path, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    expect(await readdir(folder)).toEqual(['x'])
  })
})

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, shuffled(inner)]),
      )
    }
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
