import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdir, readFile, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeSweptFolder, makeTemporaryFolder, ownMark as markOfThisProcess } from './temporary.js'
import { socketParent, temporaryParent } from './temporary-parent.js'
import { isRoot, NOBODY, scratch } from './testing/scratch.js'

const MARK = '.c2m-temporary'

/** What a killed run leaves: a folder with its mark, and a process that is gone. */
async function leftover(parent: string, name = 'run.1.1.left'): Promise<string> {
  const { pid } = spawnSync(process.execPath, ['--version'])
  const path = join(parent, name)
  await mkdir(path, { mode: 0o700 })
  await writeFile(join(path, MARK), (await markOfThisProcess()).replace(/^\d+\.\d+/, `${pid}.12345`))
  await writeFile(join(path, 'half'), '')
  return path
}

async function left(parent: string): Promise<string[]> {
  const folder = await makeSweptFolder(parent, 'run')
  const names = await readdir(parent)
  await folder[Symbol.asyncDispose]()
  return names.filter((name) => name !== basename(folder.path)).sort()
}

describe('a temporary folder', () => {
  it('is for this user only, and goes with all that is in it', async () => {
    await using folder = await scratch()
    const made = await makeTemporaryFolder(folder.path, 'run')
    expect((await stat(made.path)).mode & 0o777).toBe(0o700)
    await mkdir(join(made.path, 'a/b'), { recursive: true })
    await made[Symbol.asyncDispose]()
    expect(await readdir(folder.path)).toEqual([])
  })

  it('is the same one after another was put in its place', async () => {
    await using folder = await scratch()
    await chmod(folder.path, 0o777)
    const made = await makeTemporaryFolder(folder.path, 'run')
    const [name = ''] = await readdir(folder.path)
    await rename(folder.at(name), folder.at('aside'))
    await mkdir(folder.at('victim'))
    await symlink('victim', folder.at(name))
    await writeFile(join(made.path, 'secret'), '')
    expect(await readdir(folder.at('victim'))).toEqual([])
    await Promise.resolve(made[Symbol.asyncDispose]()).catch(() => undefined)
    expect(await readdir(folder.at('aside'))).toEqual([])
    expect(await readdir(folder.at('victim'))).toEqual([])
  })
})

describe('sweeping', () => {
  it('takes what killed runs left', async () => {
    await using folder = await scratch()
    await leftover(folder.path)
    expect(await left(folder.path)).toEqual([])
  })

  it('leaves what runs, what is of another machine, and what has another name', async () => {
    await using folder = await scratch()
    await using running = await makeTemporaryFolder(folder.path, 'run')
    const elsewhere = await leftover(folder.path, 'run.2.2.elsewhere')
    const mark = await readFile(join(elsewhere, MARK), 'utf8')
    await writeFile(
      join(elsewhere, MARK),
      mark.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    )
    await leftover(folder.path, 'runner.2.2.x')
    expect(await left(folder.path)).toEqual([basename(running.path), 'run.2.2.elsewhere', 'runner.2.2.x'].sort())
  })

  it.each([
    ['a folder of this user that was only given such a name', (path: string) => removeMark(path)],
    ['one that others can write', (path: string) => chmod(path, 0o722)],
    ['a mark that is a link', async (path: string) => linkMark(path)],
    ['a mark of a process that runs', (path: string) => ownMark(path)],
    ['a mark that is no mark', (path: string) => writeFile(join(path, MARK), 'x'.repeat(10_000))],
  ])('leaves %s', async (_what, change) => {
    await using folder = await scratch()
    const path = await leftover(folder.path)
    await change(path)
    expect(await left(folder.path)).toEqual([basename(path)])
    expect(await readdir(path)).toContain('half')
  })

  it('leaves a link to one', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('elsewhere'))
    const path = await leftover(folder.at('elsewhere'))
    await symlink(path, folder.at('run.1.1.link'))
    expect(await left(folder.path)).toEqual(['elsewhere', 'run.1.1.link'])
    expect(await readdir(path)).toContain('half')
  })

  it.skipIf(!isRoot)('leaves what belongs to another user', async () => {
    await using folder = await scratch()
    const path = await leftover(folder.path)
    await chown(path, NOBODY, NOBODY)
    expect(await left(folder.path)).toEqual([basename(path)])
    expect(await readdir(path)).toContain('half')
  })
})

async function removeMark(path: string): Promise<void> {
  await rename(join(path, MARK), join(path, 'other'))
}

async function linkMark(path: string): Promise<void> {
  await removeMark(path)
  await symlink('other', join(path, MARK))
}

async function ownMark(path: string): Promise<void> {
  await writeFile(join(path, MARK), await markOfThisProcess())
}

describe('where temporary folders go', () => {
  it('is XDG_RUNTIME_DIR for sockets, when it is this user’s alone', async () => {
    await using folder = await scratch()
    const env = { XDG_RUNTIME_DIR: folder.path, TMPDIR: '/tmp' }
    expect(await socketParent(env)).toBe(folder.at('c2m'))
    await chmod(folder.path, 0o702)
    expect(await socketParent(env)).toBe('/tmp')
    expect(await socketParent({ ...env, XDG_RUNTIME_DIR: 'relative' })).toBe('/tmp')
    expect(await socketParent({ ...env, XDG_RUNTIME_DIR: folder.at('none') })).toBe('/tmp')
  })

  it('is not a TMPDIR in which others can rename', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('t'))
    expect(await temporaryParent({ TMPDIR: folder.at('t') })).toBe(folder.at('t'))
    await chmod(folder.path, 0o777)
    expect(await temporaryParent({ TMPDIR: folder.at('t') })).toBe('/tmp')
    await chmod(folder.path, 0o1777)
    expect(await temporaryParent({ TMPDIR: folder.at('t') })).toBe(folder.at('t'))
  })
})
