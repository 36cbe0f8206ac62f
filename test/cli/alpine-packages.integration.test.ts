import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alpineImage, missingForAlpine, REAL_REPOSITORY, serveRepositories, standIns } from '../support/alpine.js'
import { writeApkRepository } from '../support/apk-repository.js'
import { c2m, c2mOk } from '../support/cli.js'
import type { ServedFolders } from '../support/http-folders.js'
import { WORK } from '../support/paths.js'
import { sshKey } from '../support/ssh.js'

const missing = missingForAlpine(true)
if (missing !== undefined) console.warn(`skipped: ${missing} is not there`)

const FLAGS = ['--bootloader', 'grub-pc', '--verbose']

describe.skipIf(missing !== undefined)('packages of an Alpine machine, with a stand-in kernel', () => {
  let folder = ''
  let repositories: ServedFolders
  let image = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(WORK, 'alpine-'))
    const wronglySigned = join(folder, 'wrong')
    const files = join(folder, 'files')
    await mkdir(join(files, 'usr'), { recursive: true })
    // a key of the same name as the one that is trusted
    const [keyName = ''] = await readdir(join(await standIns(), 'keys'))
    await writeApkRepository(wronglySigned, [{ name: 'linux-virt', version: '9-r0', files }], keyName)
    repositories = await serveRepositories({
      '3.19': REAL_REPOSITORY,
      'stand-ins': await standIns(),
      'wrongly-signed': wronglySigned,
    })
    image = await alpineImage(folder, '3.19.4', repositories.urls.slice(0, 2))
  })
  afterAll(async () => {
    await repositories[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const [real, made, wrong] = [0, 1, 2].map((index) => () => repositories.urls[index] ?? '') as [
    () => string,
    () => string,
    () => string,
  ]

  it('are the same twice, with the second run from the cache of downloads', async () => {
    const hashes: string[] = []
    const outputs: string[] = []
    for (const name of ['one', 'two']) {
      const disk = join(folder, `${name}.img`)
      const { stderr } = await c2mOk(['container2vm', `oci:${image}`, '-o', disk, ...FLAGS, '--refresh', '--seed', 'x'])
      outputs.push(stderr)
      const hash = createHash('sha256')
      await pipeline(createReadStream(disk), hash)
      hashes.push(hash.digest('hex'))
      await rm(disk)
    }
    expect(hashes[1]).toBe(hashes[0])
    expect(outputs[1]).toMatch(/stand-in mkinitfs for 6\S+ with: .*\bata\b.*\bvirtio\b.*\bnvme\b.*\bc2m\b/)
    // one initramfs, made by the kernel's own trigger
    expect(outputs[1]?.match(/stand-in mkinitfs for/g)).toHaveLength(1)
    expect(outputs[1]).not.toContain('fetch http')
    expect(outputs[1]).not.toMatch(/\d+ errors?;/)
  })

  it('make a disk of less than 100 MB, the kernel and its modules not counted', async () => {
    const empty = join(folder, 'empty')
    const kernel = await tree(join(folder, 'kernel'), { 'boot/vmlinuz-virt': 'x', 'boot/initramfs-virt': 'x' })
    const nothing = await tree(join(folder, 'nothing'), { 'usr/share/nothing': '' })
    const packages = [
      { name: 'linux-virt', version: '1-r0', ...kernel },
      { name: 'mkinitfs', version: '1-r0', ...nothing },
      { name: 'syslinux', version: '1-r0', ...nothing },
    ]
    const { key, keyName } = await writeApkRepository(empty, packages)
    await mkdir(join(empty, 'keys'))
    await writeFile(join(empty, 'keys', keyName), key)
    await using own = await serveRepositories({ '3.19': REAL_REPOSITORY, empty })
    const small = await alpineImage(join(folder, 'small'), '3.19.4', own.urls, [empty])
    const disk = join(folder, 'small.qcow2')
    const { stdout } = await c2mOk([
      ...['container2vm', `oci:${small}`, '-o', disk, '--bootloader', 'extlinux', '--ssh-key', await sshKey()],
    ])
    const { size } = await stat(disk)
    console.log(
      `an Alpine 3.19 disk with ssh, without its kernel: ${(size / 1e6).toFixed(1)} MB; ${stdout.split('\n')[0]}`,
    )
    expect(size).toBeLessThan(100e6)
  })

  it('say which package no repository has, when the kernel is missing', async () => {
    const without = await alpineImage(join(folder, 'without'), '3.19.4', [real()])
    const { code, stderr } = await c2m(['container2vm', `oci:${without}`, '-o', join(folder, 'x.img'), ...FLAGS])
    expect(code).toBe(1)
    expect(stderr).toContain('c2m: no repository in /etc/apk/repositories has the package mkinitfs')
    expect(stderr).toContain('C2M_SANDBOX_STEP_FAILED')
  })

  it('are not taken from an index with a wrong signature', async () => {
    const untrusted = await alpineImage(join(folder, 'untrusted'), '3.19.4', [real(), wrong()])
    const { code, stderr } = await c2m(['container2vm', `oci:${untrusted}`, '-o', join(folder, 'x.img'), ...FLAGS])
    expect(code).toBe(1)
    expect(stderr).toMatch(/c2m: repositories that could not be used:\n.*(UNTRUSTED|BAD) signature/)
  })

  it('are not taken from a repository whose key the image does not have', async () => {
    const keyless = await alpineImage(join(folder, 'keyless'), '3.19.4', [real(), made()], [])
    const { code, stderr } = await c2m(['container2vm', `oci:${keyless}`, '-o', join(folder, 'x.img'), ...FLAGS])
    expect(code).toBe(1)
    expect(stderr).toMatch(/UNTRUSTED/)
  })
})

async function tree(files: string, content: Readonly<Record<string, string>>): Promise<{ readonly files: string }> {
  for (const [path, text] of Object.entries(content)) {
    await mkdir(dirname(join(files, path)), { recursive: true })
    await writeFile(join(files, path), text)
  }
  return { files }
}
