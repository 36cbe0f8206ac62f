import { chmod, chown, lchown, mkdir, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { cacheFolder, checkCacheFolder, makeCacheFolder, makeCacheSubfolder } from './cache-folder.js'
import { CacheRecords, fileDigest, isIntact } from './file-version.js'
import { isRoot, NOBODY, scratch } from './testing/scratch.js'

const unsafe = (path: string, because: string) => ({
  code: 'C2M_CACHE_UNSAFE',
  message: expect.stringMatching(new RegExp(`cannot be trusted: ${path} ${because}`)) as string,
})

describe('the cache folder', () => {
  it('is made for this user only, also one of an earlier version', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('cache/layers'), { recursive: true, mode: 0o755 })
    await makeCacheSubfolder(folder.at('cache'), 'layers', 'sha256')
    await using run = await makeCacheFolder(folder.at('new/cache'))
    for (const path of [folder.at('cache/layers'), folder.at('cache/layers/sha256'), folder.at('new/cache'), run.path])
      expect((await stat(path)).mode & 0o077).toBe(0)
  })

  it('is refused when others can write it, or something above it', async () => {
    await using folder = await scratch()
    const cache = folder.at('a/cache')
    await mkdir(cache, { recursive: true })
    expect(await checkCacheFolder(cache)).toBe(true)
    for (const mode of [0o757, 0o702, 0o1777]) {
      await chmod(cache, mode)
      await expect(makeCacheFolder(cache)).rejects.toMatchObject(unsafe('it', 'can be written by others'))
    }
    await chmod(cache, 0o755)
    await chmod(folder.at('a'), 0o777)
    await expect(makeCacheFolder(cache)).rejects.toMatchObject(unsafe(folder.at('a'), 'can be written by others'))
    await expect(makeCacheFolder(folder.at('a/none'))).rejects.toMatchObject({ code: 'C2M_CACHE_UNSAFE' })
    await chmod(folder.at('a'), 0o1777)
    expect(await checkCacheFolder(cache)).toBe(true)
  })

  it('may be behind links of this user, each of which is looked behind', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('disk/real'), { recursive: true })
    await symlink('disk', folder.at('link'))
    await symlink('../link/real', folder.at('disk/cache'))
    expect(await checkCacheFolder(folder.at('disk/cache'))).toBe(true)
    await chmod(folder.at('disk'), 0o777)
    await expect(checkCacheFolder(folder.at('link/real'))).rejects.toMatchObject({ code: 'C2M_CACHE_UNSAFE' })
    await symlink('round', folder.at('round'))
    await expect(makeCacheFolder(folder.at('round'))).rejects.toMatchObject({ code: 'ELOOP' })
  })

  it('has no parts that are links to what others can write', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('cache'))
    await mkdir(folder.at('open'))
    await chmod(folder.at('open'), 0o777)
    await symlink(folder.at('open'), folder.at('cache/layers'))
    await expect(makeCacheSubfolder(folder.at('cache'), 'layers')).rejects.toMatchObject({ code: 'C2M_CACHE_UNSAFE' })
    expect((await stat(folder.at('open'))).mode & 0o777).toBe(0o777)
  })

  describe.skipIf(!isRoot)('of root', () => {
    it('is not another user’s, nor below his folder, nor behind his link', async () => {
      await using folder = await scratch()
      await mkdir(folder.at('his/cache'), { recursive: true })
      await chown(folder.at('his'), NOBODY, NOBODY)
      const below = unsafe(folder.at('his'), `belongs to user ${NOBODY}`)
      await expect(makeCacheFolder(folder.at('his/cache'))).rejects.toMatchObject(below)
      await expect(makeCacheFolder(folder.at('his'))).rejects.toMatchObject(unsafe('it', 'belongs to user'))
      await mkdir(folder.at('mine'))
      await symlink('mine', folder.at('link'))
      await lchown(folder.at('link'), NOBODY, NOBODY)
      await expect(makeCacheFolder(folder.at('link/c'))).rejects.toMatchObject(
        unsafe(folder.at('link'), 'is a link of'),
      )
    })

    describe('with the HOME of another user', () => {
      const home = homedir()
      afterEach(() => (process.env.HOME = home))
      it('is in root’s own home', async () => {
        await using folder = await scratch()
        process.env.HOME = folder.path
        expect(cacheFolder({})).toBe(folder.at('.cache/c2m'))
        await chown(folder.path, NOBODY, NOBODY)
        expect(cacheFolder({})).toBe(`${userInfo().homedir}/.cache/c2m`)
        expect(cacheFolder({ C2M_CACHE_DIR: '/x' })).toBe('/x')
      })
    })
  })
})

describe('a file of the cache', () => {
  it('is read once, and again when it was changed, whatever its size and time say', async () => {
    await using folder = await scratch()
    const path = folder.at('file')
    await writeFile(path, 'good')
    const digest = await fileDigest(path)
    const records = new CacheRecords(folder.at('cache'))
    expect(await isIntact(path, digest, records)).toBe(true)
    expect(await isIntact(path, digest.replace(/.$/, 'x'), records)).toBe(false)
    const { atime, mtime } = await stat(path)
    await writeFile(path, 'evil')
    await utimes(path, atime, mtime)
    expect(await isIntact(path, digest, records)).toBe(false)
    await rename(path, folder.at('other'))
    expect(await isIntact(path, digest, records)).toBe(false)
  })

  it('is not taken for whole by the record of another', async () => {
    await using folder = await scratch()
    const records = new CacheRecords(folder.at('cache'))
    await records.set('a', '1')
    expect(await records.get('a')).toBe('1')
    expect(await records.get('b')).toBeUndefined()
    await records.set('a', '2')
    expect(await records.get('a')).toBe('2')
  })
})
