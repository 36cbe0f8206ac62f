import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, chown, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { foreignWriter, foreignWriterOf, foreignWriterWithin } from './foreign-writer.js'

const isRoot = process.getuid?.() === 0
let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-foreign-'))
  file = join(folder, 'file')
  await writeFile(file, '')
  await chmod(file, 0o644)
})
afterEach(async () => {
  await rm(folder, { recursive: true })
  delete process.env.SUDO_UID
})

describe('who could have written a file', () => {
  it('is nobody else when it and all above it is this user’s or root’s', async () => {
    expect(await foreignWriter(file)).toBeUndefined()
    expect(await foreignWriter('/')).toBeUndefined()
    expect(await foreignWriter('/usr/bin/env')).toBeUndefined()
  })
  it('is everybody, also by a directory that is not sticky', async () => {
    await chmod(file, 0o602)
    expect(await foreignWriter(file)).toBe(`everybody can write ${file}`)
    await chmod(file, 0o600)
    await chmod(folder, 0o777)
    expect(await foreignWriter(file)).toBe(`everybody can write ${folder}`)
    await chmod(folder, 0o1777)
    expect(await foreignWriter(file)).toBeUndefined()
    expect(await foreignWriter(folder)).toBe(`everybody can write ${folder}`)
  })
  it('is whoever can change a symbolic link', async () => {
    await symlink(folder, join(folder, 'link'))
    expect(await foreignWriter(join(folder, 'link', 'file'))).toBe(`${folder}/link is a symbolic link`)
  })
  it('is looked for in a whole tree', async () => {
    const [deep, skipped] = [join(folder, 'a/b/deep'), join(folder, 'a/skipped/c')]
    for (const one of [join(folder, 'a/b'), join(folder, 'a/skipped')]) await mkdir(one, { recursive: true })
    for (const one of [deep, skipped]) await writeFile(one, '')
    await chmod(skipped, 0o666)
    expect(await foreignWriterWithin(folder, ['skipped'])).toBeUndefined()
    await symlink(skipped, join(folder, 'a/b/link'))
    expect(await foreignWriterWithin(folder, ['skipped'])).toBe(`everybody can write ${skipped}`)
    await chmod(skipped, 0o644)
    await symlink('missing', join(folder, 'a/b/dangling'))
    await chmod(deep, 0o666)
    expect(await foreignWriterWithin(folder, ['skipped'])).toBe(`everybody can write ${deep}`)
  })
})

describe.runIf(isRoot)('a file that its group can write', () => {
  const numbers = (table: string, name: string) =>
    Number(readFileSync(table, 'utf8').match(new RegExp(`^${name}:[^:]*:(\\d+):`, 'm'))?.[1])
  const [user, group, other] = [
    numbers('/etc/passwd', 'daemon'),
    numbers('/etc/group', 'daemon'),
    numbers('/etc/group', 'adm'),
  ]
  beforeEach(async () => {
    await chmod(file, 0o664)
    process.env.SUDO_UID = String(user)
  })

  it('is its owner’s when the group has nobody else in it', async () => {
    await chown(file, user, group)
    expect(await foreignWriterOf(file, await lstat(file))).toBeUndefined()
    delete process.env.SUDO_UID
    expect(await foreignWriterOf(file, await lstat(file))).toBe(`${file} belongs to user ${user}`)
    await chown(file, 0, group)
    expect(await foreignWriterOf(file, await lstat(file))).toBe(`group ${group} can write ${file}`)
  })
  it('is the group’s when others may be in it, and root’s group is none', async () => {
    for (const gid of [other, 0, 54321]) {
      await chown(file, user, gid)
      expect(await foreignWriterOf(file, await lstat(file))).toBe(`group ${gid} can write ${file}`)
    }
  })
  it('is others’ when its access control list names them', async ({ skip }) => {
    await chown(file, user, group)
    if (spawnSync('setfacl', ['-m', 'u:65534:rw', file]).status !== 0) skip('setfacl is missing: apt install acl')
    expect(await foreignWriterOf(file, await lstat(file))).toBe(`its access control list may let others write ${file}`)
  })
})
