import { copyFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { run } from '@c2m/process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIB } from '../testing/plans.js'
import { convert, makeRawDisk, readContents } from '../testing/real-disks.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import type { OpenDiskOptions } from './checked-disk.js'
import { openDisk } from './open-disk.js'

const tools = await haveTools({ 'qemu-img': 'qemu-utils', 'qemu-nbd': 'qemu-utils', 'qemu-io': 'qemu-utils' })
const REFUSED = { code: 'C2M_DISK_REFERENCE' }

describe.skipIf(!tools)('a disk of several files', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let home: string
  let elsewhere: string
  let digest: string
  let size: number
  beforeEach(async () => {
    folder = await temporaryFolder()
    home = folder.file('home')
    elsewhere = folder.file('elsewhere')
    await mkdir(join(home, 'bases'), { recursive: true })
    await mkdir(elsewhere)
    size = await makeRawDisk(join(home, 'base.raw'))
    digest = await digestOf(join(home, 'base.raw'), { format: 'raw' })
  })
  afterEach(() => folder[Symbol.asyncDispose]())

  const at = (name: string) => join(home, name)
  const overlay = (name: string, backing: string, format: string | undefined, ...more: string[]) =>
    run('qemu-img', [
      ...['create', '-q', '-u', '-f', 'qcow2', '-b', backing, ...more],
      ...(format === undefined ? [] : ['-F', format]),
      ...[at(name), `${size}`],
    ])

  it('is read through its chain, wherever below its folder it lies', async () => {
    await convert(at('base.raw'), at('bases/base.qcow2'), 'qcow2')
    await overlay('middle.qcow2', 'bases/base.qcow2', 'qcow2')
    await overlay('top: a,b.qcow2', at('middle.qcow2'), 'qcow2')
    await run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 20M 64k', `file:${at('top: a,b.qcow2')}`])
    await using disk = await openDisk(at('top: a,b.qcow2'))
    expect(disk.files.map((file) => basename(file))).toEqual(['top: a,b.qcow2', 'middle.qcow2', 'base.qcow2'])
    expect(disk.notices.join()).toMatch(/is based on .*middle\.qcow2, .*base\.qcow2/)
    const part = Buffer.alloc(65536)
    await disk.source.read(20 * MIB, part)
    expect(part.equals(Buffer.alloc(65536, 7))).toBe(true)
    const { lost } = await readContents(disk.source)
    expect(lost).toBe(0)
  })

  it('is read over a raw base, and over one whose format it does not tell', async () => {
    await overlay('raw.qcow2', 'base.raw', 'raw')
    expect(await digestOf(at('raw.qcow2'))).toBe(digest)
    await overlay('silent.qcow2', 'base.raw', 'raw')
    const bytes = await readFile(at('silent.qcow2'))
    const extension = bytes.indexOf(Buffer.from('e2792aca00000003', 'hex'))
    // an extension that nobody knows
    bytes.writeUInt32BE(0x12345678, extension)
    await writeFile(at('silent.qcow2'), bytes)
    await using disk = await openDisk(at('silent.qcow2'))
    expect(disk.notices[0]).toMatch(/does not say what format .*base\.raw has; it is read as raw/)
    expect((await readContents(disk.source)).digest).toBe(digest)
  })

  it('is read when its base lies in an allowed directory only', async () => {
    await convert(at('base.raw'), join(elsewhere, 'base.qcow2'), 'qcow2')
    for (const name of ['../elsewhere/base.qcow2', join(elsewhere, 'base.qcow2')]) {
      await overlay('top.qcow2', name, 'qcow2')
      await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject(REFUSED)
      await expect(openDisk(at('top.qcow2'), { allowBacking: [at('bases')] })).rejects.toMatchObject(REFUSED)
      expect(await digestOf(at('top.qcow2'), { allowBacking: [elsewhere] })).toBe(digest)
    }
    await expect(openDisk(at('top.qcow2'), { allowBacking: [folder.file('no')] })).rejects.toMatchObject({
      code: 'C2M_FILE_ENOENT',
    })
  })

  it('cannot lead out of its folder by a symlink', async () => {
    await copyFile(at('base.raw'), join(elsewhere, 'secret.raw'))
    await symlink(join(elsewhere, 'secret.raw'), at('link.raw'))
    await symlink(elsewhere, at('folder'))
    await overlay('top.qcow2', 'link.raw', 'raw')
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject(REFUSED)
    await overlay('top.qcow2', 'folder/secret.raw', 'raw')
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject(REFUSED)
    await symlink(at('base.raw'), at('inside.raw'))
    await overlay('top.qcow2', 'inside.raw', 'raw')
    expect(await digestOf(at('top.qcow2'))).toBe(digest)
  })

  it('may itself be reached by a symlink; its folder is the one it lies in', async () => {
    await overlay('top.qcow2', 'base.raw', 'raw')
    await symlink(at('top.qcow2'), join(elsewhere, 'disk.qcow2'))
    expect(await digestOf(join(elsewhere, 'disk.qcow2'))).toBe(digest)
  })

  it('is refused when it names a protocol', async () => {
    const names = [
      'json:{"driver":"qcow2","file":{"driver":"file","filename":"/etc/shadow"}}',
      'nbd://127.0.0.1/x',
      'nbd:unix:/run/x',
      'http://127.0.0.1/x',
      'ssh://127.0.0.1/x',
      'file:base.raw',
      'fat:/etc',
    ]
    for (const name of names) {
      await overlay('top.qcow2', name, 'raw')
      await expect(openDisk(at('top.qcow2')), name).rejects.toMatchObject(REFUSED)
    }
  })

  it('is refused when what it names is no disk image, of no known format, or missing', async () => {
    await overlay('top.qcow2', 'bases', 'raw')
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject(REFUSED)
    await overlay('top.qcow2', 'base.raw', 'qed')
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject(REFUSED)
    await overlay('top.qcow2', 'base.raw', 'qcow2')
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject({ code: 'C2M_DISK_FORMAT' })
    await overlay('top.qcow2', 'none.raw', 'raw')
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject({ code: 'C2M_DISK_REFERENCE_MISSING' })
  })

  it('is refused when its chain loops or has no end', async () => {
    const endless = { code: 'C2M_DISK_CHAIN' }
    await overlay('self.qcow2', 'self.qcow2', 'qcow2')
    await expect(openDisk(at('self.qcow2'))).rejects.toMatchObject(endless)
    await overlay('a.qcow2', 'b.qcow2', 'qcow2')
    await overlay('b.qcow2', 'a.qcow2', 'qcow2')
    await expect(openDisk(at('a.qcow2'))).rejects.toMatchObject(endless)
    await overlay('0.qcow2', 'base.raw', 'raw')
    for (let depth = 1; depth < 16; depth++) await overlay(`${depth}.qcow2`, `${depth - 1}.qcow2`, 'qcow2')
    expect(await digestOf(at('14.qcow2'))).toBe(digest)
    await expect(openDisk(at('15.qcow2'))).rejects.toMatchObject(endless)
  })

  it('is refused when its data lies in another file', async () => {
    await convert(at('base.raw'), at('top.qcow2'), 'qcow2', `data_file=${at('data')},data_file_raw=on`)
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject(REFUSED)
  })

  it('is refused when a base is cut', async () => {
    await convert(at('base.raw'), at('bases/base.qcow2'), 'qcow2')
    await overlay('top.qcow2', 'bases/base.qcow2', 'qcow2')
    await run('truncate', ['--size=-128K', at('bases/base.qcow2')])
    await expect(openDisk(at('top.qcow2'))).rejects.toMatchObject({ code: 'C2M_DISK_TRUNCATED' })
  })

  it('is read as a VMDK over a VMDK, as VMware keeps snapshots', async () => {
    await convert(at('base.raw'), at('base.vmdk'), 'vmdk')
    await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-b', at('base.vmdk'), '-F', 'vmdk', at('top.vmdk')])
    await run('qemu-io', ['-f', 'vmdk', '-c', 'write -P 9 10M 64k', at('top.vmdk')])
    {
      await using disk = await openDisk(at('top.vmdk'))
      expect(disk.files).toHaveLength(2)
      const part = Buffer.alloc(65536)
      await disk.source.read(10 * MIB, part)
      expect(part.equals(Buffer.alloc(65536, 9))).toBe(true)
    }
    await rename(at('base.vmdk'), join(elsewhere, 'base.vmdk'))
    await expect(openDisk(at('top.vmdk'))).rejects.toMatchObject({ code: 'C2M_DISK_REFERENCE_MISSING' })
    await symlink(join(elsewhere, 'base.vmdk'), at('base.vmdk'))
    await expect(openDisk(at('top.vmdk'))).rejects.toMatchObject(REFUSED)
  })

  describe('a VMDK descriptor', () => {
    const describeExtents = (...extents: string[]) =>
      writeFile(
        at('disk.vmdk'),
        [
          '# Disk DescriptorFile',
          'version=1',
          'CID=12345678',
          'parentCID=ffffffff',
          'createType="monolithicFlat"',
          ...extents,
        ].join('\n'),
      )

    it('is read with a plain name beside it', async () => {
      await describeExtents(`RW ${size / 512} FLAT "base.raw" 0`)
      expect(await digestOf(at('disk.vmdk'))).toBe(digest)
    })

    it.each([
      ['RW 100 FLAT "/etc/shadow" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "../elsewhere/x" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "bases/x" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT ".." 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "nbd:127.0.0.1:1" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "json:{}" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "link" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "bases" 0', 'C2M_DISK_REFERENCE'],
      ['RW 100 FLAT "none" 0', 'C2M_DISK_REFERENCE_MISSING'],
      ['RW 1000000 FLAT "base.raw" 0', 'C2M_DISK_TRUNCATED'],
      ['RW 100 FLAT "base.raw" 99999999', 'C2M_DISK_TRUNCATED'],
      ['RW 100 SPARSE "base.raw"', 'C2M_DISK_DAMAGED'],
      ['RW 999999999999 FLAT "base.raw" 0', 'C2M_DISK_TOO_LARGE'],
      ['RW 100 ZERO', 'C2M_DISK_UNSUPPORTED'],
      ['RDONLY 100 FLAT "base.raw" 0', 'C2M_DISK_UNSUPPORTED'],
      ['RW\n100 FLAT "/etc/shadow" 0', 'C2M_DISK_UNSUPPORTED'],
      ['  RW 100 VMFSSPARSE "x"', 'C2M_DISK_UNSUPPORTED'],
      ['RW 100 FLAT "base.raw" 0\nRW 100 FLAT "base.raw" 0', 'C2M_DISK_DAMAGED'],
      ['', 'C2M_DISK_DAMAGED'],
      ['createType="seSparse"', 'C2M_DISK_DAMAGED'],
    ])('with %j is refused', async (extent, code) => {
      await writeFile(join(elsewhere, 'x'), Buffer.alloc(MIB))
      await writeFile(at('bases/x'), Buffer.alloc(MIB))
      await symlink(join(elsewhere, 'x'), at('link'))
      await describeExtents(extent)
      await expect(openDisk(at('disk.vmdk'))).rejects.toMatchObject({ code })
    })
  })
})

async function digestOf(path: string, options: OpenDiskOptions = {}): Promise<string> {
  await using disk = await openDisk(path, options)
  return (await readContents(disk.source)).digest
}
