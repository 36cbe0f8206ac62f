import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOf, describeTree, readContents, temporaryFolder } from '../testing/fixtures.js'
import { canJudge } from '../testing/judges.js'
import { openDirectory } from './directory.js'

describe.skipIf(!(await canJudge({ getfattr: 'attr' })))('openDirectory', () => {
  const folder = temporaryFolder()
  const makeFolder = (): Promise<string> => mkdtemp(join(folder.path, 'd-'))

  it('reads names, metadata and bodies as an ordinary user too', async () => {
    const top = await makeFolder()
    await mkdir(join(top, 'a'), { mode: 0o750 })
    await writeFile(join(top, 'a/f'), 'content', { mode: 0o640 })
    await utimes(join(top, 'a/f'), new Date(-1500), new Date(-1500))
    await using rootfs = await openDirectory(top)
    expect(await describeTree(rootfs)).toEqual(['/ directory 700', 'a directory 750', 'a/f file 640 "content" 1x a/f'])
    expect(await rootfs.stat('a/f')).toMatchObject({
      uid: process.getuid?.(),
      mtime: { seconds: -2, nanoseconds: 500_000_000 },
    })
    expect([...(await readContents(rootfs))]).toEqual([['a/f', 'content']])
  })

  it('never follows a link out, not even one that appears later', async () => {
    const top = await makeFolder()
    await symlink('/etc', join(top, 'etc'))
    await writeFile(join(top, 'f'), 'mine')
    await using rootfs = await openDirectory(top)
    expect(await rootfs.stat('etc/passwd')).toBeUndefined()
    await rename(join(top, 'f'), join(top, 'g'))
    await symlink('/etc/hostname', join(top, 'f'))
    await expect(readContents(rootfs)).rejects.toThrow()
    await rm(join(top, 'f'))
    await writeFile(join(top, 'f'), 'another')
    expect(await codeOf(readContents(rootfs))).toBe('C2M_DIRECTORY_CHANGED')
  })

  it('refuses what is no directory', async () => {
    const top = await makeFolder()
    await writeFile(join(top, 'f'), '')
    expect(await codeOf(openDirectory(join(top, 'f')))).toBe('C2M_FILE_ENOTDIR')
    expect(await codeOf(openDirectory(join(top, 'no')))).toBe('C2M_FILE_ENOENT')
  })
})
