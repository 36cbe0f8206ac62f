import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImagePlan, VmToContainerResult } from '@c2m/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m, c2mOk } from '../support/cli.js'
import { smallMachine } from './support/small-machine.js'
import { lacks, shell, tool } from './support/tools.js'
import { mke2fs, stateOf } from './support/tree.js'

const tools = { mke2fs: 'e2fsprogs', tune2fs: 'e2fsprogs', 'qemu-img': 'qemu-utils', python3: 'python3' }
const missing = lacks('what c2m takes care of', tools)

describe.skipIf(missing)('c2m', () => {
  let folder = ''
  const at = (name: string) => join(folder, name)
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-careful-'))
    await smallMachine(folder)
    await shell('cd "$1"; ln small.img hard.img; ln -s small.img soft.img; mkdir -p sub build', folder)
    await shell('cd "$1"; ln small.img build/img.tar; tar -C small-tree -cf root.tar bin etc', folder)
    await shell('cd "$1"; qemu-img create -q -f qcow2 -F raw -b small.img top.qcow2', folder)
    await shell('cd "$1"; qemu-img convert -O vmdk -o subformat=monolithicFlat small.img flat.vmdk', folder)
    await c2mOk(['vm2container', 'small.img', '-o', 'docker-archive:image.tar'], { cwd: folder })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  describe('never replaces what it reads', () => {
    it.each([
      ['vm2container small.img -o docker-archive:small.img', 'small.img'],
      ['vm2container small.img -o tarball:sub/../small.img', 'small.img'],
      ['vm2container small.img -o oci-archive:hard.img', 'hard.img'],
      ['vm2container soft.img -o docker-archive:small.img', 'small.img'],
      ['vm2container small.img -o docker-archive:soft.img', 'small.img'],
      ['vm2container small.img -o dockerfile:build', 'build/img.tar'],
      ['vm2container top.qcow2 -o docker-archive:small.img', 'small.img'],
      ['vm2container flat.vmdk -o docker-archive:flat-flat.vmdk', 'flat-flat.vmdk'],
      ['vm2container root.tar -o tarball:root.tar', 'root.tar'],
      ['vm2container tarball:root.tar -o docker-archive:root.tar', 'root.tar'],
      ['vm2container - -o tarball:root.tar', 'root.tar'],
      ['container2vm docker-archive:image.tar -o image.tar --format raw', 'image.tar'],
      ['container2vm ./image.tar -o sub/../image.tar --format raw', 'image.tar'],
      ['container2vm tarball:root.tar -o root.tar --format qcow2', 'root.tar'],
    ])('%s', async (line, file) => {
      const state = await stateOf(at(file))
      const names = await readdir(folder)
      const prefix = ['sh', '-c', '"$@" < root.tar', 'sh']
      const { code, stderr } = await c2m([...line.split(' '), '--force'], { cwd: folder, prefix })
      expect(stderr).toContain('(C2M_OUTPUT_IS_INPUT)')
      expect(code).toBe(2)
      expect(await stateOf(at(file))).toBe(state)
      expect(await readdir(folder)).toEqual(names)
    })

    it('but what else is there, when asked', async () => {
      await writeFile(at('other.tar'), 'x')
      await c2mOk(['vm2container', 'top.qcow2', '-o', 'tarball:other.tar', '--force'], { cwd: folder })
      expect(await tool('tar', ['-tf', at('other.tar')])).toContain('srv/plain')
    })
  })

  describe('leaves standard output to the image', () => {
    it.each(['tarball:-', 'docker-archive:-', 'docker-archive:-:team/app:1', 'oci-archive:-'])('%s', async (output) => {
      const path = at('stdout.tar')
      const same = output.replace(':-', `:${path}`)
      await c2mOk(['vm2container', 'small.img', '-o', same, '--force'], { cwd: folder })
      const expected = await readFile(path)
      for (const json of [[], ['--json']]) {
        const prefix = ['sh', '-c', '"$@" > stdout.tar', 'sh']
        const { stderr } = await c2mOk(['vm2container', 'small.img', '-o', output, ...json], { cwd: folder, prefix })
        expect((await readFile(path)).equals(expected)).toBe(true)
        if (json.length === 0) expect(stderr).toContain('standard output: ')
        else expect(lastLine(stderr)).toMatchObject({ destination: 'standard output', plan: { architecture: 'amd64' } })
      }
    })

    it('also when it fails', async () => {
      const { code, stdout, stderr } = await c2m(['vm2container', 'absent', '-o', 'tarball:-', '--json'])
      expect([code, stdout, lastLine(stderr)]).toMatchObject([1, '', { error: { code: 'C2M_FILE_ENOENT' } }])
    })

    it('but not in a dry run, which writes none', async () => {
      const args = ['vm2container', 'small.img', '-o', 'tarball:-', '--json', '--dry-run']
      const { stdout } = await c2mOk(args, { cwd: folder })
      expect((JSON.parse(stdout) as ImagePlan).architecture).toBe('amd64')
    })
  })

  it('shows names of a machine without what a terminal acts upon', async () => {
    const tree = at('hostile-tree')
    await shell('cp -r "$1/small-tree" "$2"; rm -f "$2/srv/socket" "$2/srv/pipe" "$2/var/log/lastlog"', folder, tree)
    await writeFile(join(tree, 'srv/a\x1b[31mRED\nwarning: fake.key'), '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n')
    await writeFile(join(tree, 'srv/.wh.b\x1b[31mRED\nwarning: fake'), '')
    await writeFile(join(tree, 'etc/fstab'), 'UUID=00 /srv/c\x1b[31mRED\\012warning:\\040fake ext4 defaults 0 2\n')
    await writeFile(join(tree, 'etc/os-release'), 'ID=debian\nPRETTY_NAME="d\x1b[31mRED"\n')
    await shell('truncate -s 32M "$1"', at('hostile.img'))
    await mke2fs('ext4', tree, at('hostile.img'), { start: 0, size: 32 * 1024 ** 2 })
    await tool('tune2fs', ['-L', 'r\x1b[31mt\n!', at('hostile.img')])
    const { stdout, stderr } = await c2mOk(['vm2container', 'hostile.img', '--dry-run'], { cwd: folder })
    const inspected = await c2mOk(['inspect', 'hostile.img'], { cwd: folder })
    for (const text of [stdout, stderr, inspected.stdout, inspected.stderr]) {
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
      expect(text).not.toMatch(/^\s?warning: fake/m)
    }
    expect(stdout).toContain('(ext4, label r\\x1b[31mt\\x0a!)')
    expect(stderr).toContain('  /srv/a\\x1b[31mRED\\x0awarning: fake.key (')
    expect(stderr).toContain('  /srv/.wh.b\\x1b[31mRED\\x0awarning: fake: ')
    expect(stderr).toContain('warning: /srv/c\\x1b[31mRED')
    const { stdout: json } = await c2mOk(['vm2container', 'hostile.img', '--dry-run', '--json'], { cwd: folder })
    const paths = (JSON.parse(json) as ImagePlan).secrets.map(({ path }) => path)
    expect(paths).toContain('srv/a\x1b[31mRED\nwarning: fake.key')
  })

  describe('--exclude', () => {
    it.each(['', '/', '../etc', '/srv/../etc'])('refuses %j', async (glob) => {
      const { code, stderr } = await c2m(['vm2container', 'absent', '--exclude', glob, '--dry-run'])
      expect(stderr).toContain('(C2M_GLOB_INVALID)')
      expect(code).toBe(2)
    })

    it('takes paths however they begin, and says which named nothing', async () => {
      const globs = ['./etc/hosts', '/srv/plain', 'home/*/work', 'etc/hostz', '*.tmp']
      const args = globs.flatMap((glob) => ['--exclude', glob])
      await mkdir(at('excluding'))
      const out = ['-o', 'tarball:excluding/out.tar']
      const { stderr } = await c2mOk(['vm2container', 'small.img', ...args, ...out], { cwd: folder })
      const names = (await tool('tar', ['-tf', at('excluding/out.tar')])).split('\n')
      expect(names.filter((name) => /etc\/hosts|srv\/plain|work/.test(name))).toEqual([])
      const told = stderr.split('\n').filter((line) => line.includes('names nothing'))
      expect(told).toEqual(
        ['/etc/hostz', '/*.tmp'].map((glob) => expect.stringContaining(`--exclude ${glob} `) as string),
      )
    })
  })

  it.each([
    [['-o', 'oci:x', '--level', '15'], 'C2M_IMAGE_NEW'],
    [['-o', 'docker-archive:x.tar', '--compress', 'zstd'], 'C2M_IMAGE_DESTINATION'],
    [['-o', 'docker-archive:x.tar', '-t', 'Big Name'], 'C2M_IMAGE_REFERENCE'],
  ])('refuses %j before it looks at the machine', async (args, code) => {
    const result = await c2m(['vm2container', 'absent', ...args], { cwd: folder })
    expect(result.stderr).toContain(`(${code})`)
    expect(result.code).toBe(2)
  })
})

function lastLine(text: string): Partial<VmToContainerResult> & { error?: { code: string } } {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as VmToContainerResult
}
