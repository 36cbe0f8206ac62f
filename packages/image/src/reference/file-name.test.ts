import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporary } from '../testing/layout.js'
import { isFileName, isTarName } from './file-name.js'
import { parseReference } from './reference.js'

describe('isFileName', () => {
  it.each([
    ...['h7.qcow2', 'disk.img', 'disk.RAW', 'VM/disk.vdi', 'server.vmdk', 'x.vhd', 'x.vhdx', 'debian.iso', 'a.ova'],
    ...['root.tar', 'root.tar.gz', 'root.tgz', 'root.tar.xz', 'root.tar.zst', 'root.tar.bz2', 'a.zip', 'disk.img.gz'],
    ...['disk.xz', 'disk.zst', 'root.dump', 'team/app/disk.img', 'registry.example/team/disk.img', 'disk.img:latest'],
    ...['root.tar:v1', `root.tar@sha256:${'a'.repeat(64)}`, `root.tar:v1@sha256:${'a'.repeat(64)}`, 'vm1:disk.qcow2'],
    ...['disk.qcow2.bak', 'root.tar.gz.part', 'disk.img.sha256', 'team/disk.vmdk.1:latest'],
    ...['./box', '../box', '/box', '~/box', '~', '.', '..', 'box/', 'a b.img'],
  ])('takes %s for a file', (text) => expect(isFileName(text)).toBe(true))

  it.each([
    ...['nginx', 'nginx:1.27', 'debian:12', 'team/app:1.2', 'localhost:5000/app', 'registry.example/team/app:1.0.0'],
    ...[
      'registry.raw.example/app:2',
      'a.zip.example:5000/app',
      'img',
      'team/tar',
      'app.js',
      'app:latest',
      `app@sha256:${'a'.repeat(64)}`,
      'img.example/app',
      'raw:1',
    ],
  ])('takes %s for a name', (text) => expect(isFileName(text)).toBe(false))

  it('leaves images to registries that are named as such', () => {
    expect(parseReference('docker://x.img')).toMatchObject({
      transport: 'docker',
      image: { repository: 'library/x.img' },
    })
    expect(parseReference('docker-daemon:x.img')).toMatchObject({ image: { repository: 'library/x.img' } })
  })

  it('knows the tars that are read', () => {
    expect(['a.tar', 'a.TGZ', 'a.tar.zst', 'a.tbz2'].every(isTarName)).toBe(true)
    expect(['a.img', 'tar', 'a.tar:1', 'a.gz', 'a.tar.lz4'].some(isTarName)).toBe(false)
  })
})

describe('what is there', () => {
  let folder: AsyncDisposable & { path: string }
  const before = process.cwd()
  beforeEach(async () => {
    folder = await temporary()
    process.chdir(folder.path)
  })
  afterEach(async () => {
    process.chdir(before)
    await folder[Symbol.asyncDispose]()
  })

  it('is a file, whatever its name', async () => {
    await writeFile('server', '')
    await writeFile('Alpine:3', '')
    await mkdir(join('team', 'app'), { recursive: true })
    await symlink('nowhere', 'link')
    expect(['server', 'Alpine:3', 'team/app', 'link'].every(isFileName)).toBe(true)
    expect(['server:1', 'team/other', 'server/x', 'x'.repeat(5000)].some(isFileName)).toBe(false)
    expect(parseReference('Alpine:3')).toMatchObject({ transport: 'bare', path: 'Alpine:3' })
  })
})
