import { chmod, copyFile, mkdir, open, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { run } from '@c2m/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTable } from '../partition-table/read.js'
import { MIB } from '../testing/plans.js'
import { convert, makeRawDisk, readContents } from '../testing/real-disks.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import { openDisk } from './open-disk.js'

const tools = await haveTools({ 'qemu-img': 'qemu-utils', 'qemu-nbd': 'qemu-utils' })

/** Name of the file, qemu-img's format and options, what openDisk says. */
const images: [file: string, format: string, options: string | undefined, more: string[], says: string][] = [
  ['plain.qcow2', 'qcow2', undefined, [], 'qcow2'],
  ['compressed.qcow2', 'qcow2', undefined, ['-c'], 'qcow2'],
  ['zstd.qcow2', 'qcow2', 'compression_type=zstd', ['-c'], 'qcow2'],
  ['old.qcow2', 'qcow2', 'compat=0.10', [], 'qcow2'],
  ['small clusters.qcow2', 'qcow2', 'cluster_size=512', [], 'qcow2'],
  ['large clusters.qcow2', 'qcow2', 'cluster_size=2M', [], 'qcow2'],
  ['large compressed.qcow2', 'qcow2', 'cluster_size=2M', ['-c'], 'qcow2'],
  ['subclusters.qcow2', 'qcow2', 'extended_l2=on,cluster_size=128k', [], 'qcow2'],
  ['allocated.qcow2', 'qcow2', 'preallocation=metadata', [], 'qcow2'],
  ['a,b: c=d.vdi', 'vdi', undefined, [], 'vdi dynamic'],
  ['fixed.vdi', 'vdi', 'static=on', [], 'vdi fixed'],
  ['sparse.vmdk', 'vmdk', undefined, [], 'vmdk monolithicSparse'],
  ['stream.vmdk', 'vmdk', 'subformat=streamOptimized', [], 'vmdk streamOptimized'],
  ['flat.vmdk', 'vmdk', 'subformat=monolithicFlat', [], 'vmdk monolithicFlat'],
  ['split.vmdk', 'vmdk', 'subformat=twoGbMaxExtentSparse', [], 'vmdk twoGbMaxExtentSparse'],
  ['split flat.vmdk', 'vmdk', 'subformat=twoGbMaxExtentFlat', [], 'vmdk twoGbMaxExtentFlat'],
  ['dynamic.vhd', 'vpc', 'force_size=on', [], 'vhd dynamic'],
  ['fixed.vhd', 'vpc', 'subformat=fixed,force_size=on', [], 'vhd fixed'],
  ['dynamic.vhdx', 'vhdx', undefined, [], 'vhdx'],
  ['fixed.vhdx', 'vhdx', 'subformat=fixed', [], 'vhdx'],
  ['disk.img', 'raw', undefined, [], 'raw gpt'],
]

describe.skipIf(!tools)('openDisk', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let raw: string
  let size: number
  let digest: string
  beforeAll(async () => {
    folder = await temporaryFolder()
    await chmod(folder.path, 0o755)
    raw = folder.file('raw')
    size = await makeRawDisk(raw)
    await using disk = await openDisk(raw)
    digest = (await readContents(disk.source)).digest
    expect(await sha256sum(raw)).toBe(digest)
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  describe.each(images)('%s', (file, format, options, more, says) => {
    it('reads the same bytes', async () => {
      const path = folder.file(file)
      await convert(raw, path, format, options, more)
      await using disk = await openDisk(path)
      expect([disk.format, disk.variant].filter(Boolean).join(' ')).toBe(says)
      expect(disk.source.size).toBe(size)
      expect(await readContents(disk.source)).toEqual({ digest, lost: 0 })
      expect(disk.notices).toEqual([])
      expect(disk.files.length).toBe(/flat|split/.test(file) ? 2 : 1)
      expect((await readTable(disk.source))?.partitions).toHaveLength(1)
    })

    it('is refused when it is cut, or reads the same', async () => {
      const path = folder.file(file)
      const victim = await victimOf(path)
      const { size: whole } = await stat(victim)
      const copy = `${victim}.whole`
      await copyFile(victim, copy)
      const cuts = [1, 512, 4096, 65_537, 3 * MIB, Math.floor(whole / 10), Math.floor(whole / 2)]
      for (const cut of cuts.filter((bytes) => bytes < whole)) {
        if (format === 'raw') continue
        await truncate(victim, whole - cut)
        const outcome = await outcomeOf(path, digest)
        // a compressed cluster may lack less than a sector unseen; it cannot be unpacked then
        expect(outcome).toMatch(/^(C2M_DISK_(TRUNCATED|FORMAT|DAMAGED|READ)|whole)$/)
        if (cut >= Math.floor(whole / 10)) expect(outcome).not.toBe('whole')
        await truncate(victim, 0)
        await copyFile(copy, victim)
      }
    })
  })

  it('reads a stream-optimized VMDK whose directory is at its end, as VMware writes them', async () => {
    const path = folder.file('footer.vmdk')
    await copyFile(folder.file('stream.vmdk'), path)
    const bytes = await readFile(path)
    const header = Buffer.from(bytes.subarray(0, 512))
    const footerMarker = Buffer.alloc(512)
    footerMarker.writeUInt32LE(1, 0)
    footerMarker.writeUInt32LE(3, 12)
    bytes.fill(0xff, 56, 64)
    const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512)
    const whole = Buffer.concat([bytes, padding, footerMarker, header, Buffer.alloc(512)])
    await writeFile(path, whole)
    {
      await using disk = await openDisk(path)
      expect((await readContents(disk.source)).digest).toBe(digest)
    }
    for (const cut of [1, 512, 1024, 1536, 4096]) {
      await truncate(path, whole.length - cut)
      await expect(openDisk(path)).rejects.toMatchObject({ code: 'C2M_DISK_TRUNCATED' })
    }
  })

  it('reads disks of several extents', async () => {
    const large = folder.file('large')
    const far = 4 * 1024 * MIB + 12_345 * 512
    const largeSize = await makeRawDisk(large, 4 * 1024 * MIB + 20 * MIB, far)
    for (const subformat of ['twoGbMaxExtentSparse', 'twoGbMaxExtentFlat']) {
      const path = folder.file(`${subformat}.vmdk`)
      await convert(large, path, 'vmdk', `subformat=${subformat}`)
      await using disk = await openDisk(path)
      expect([disk.source.size, disk.files.length]).toEqual([largeSize, 4])
      for (const offset of [0, far - 4096, 2 * 1024 * MIB - 4096]) {
        const [found, expected] = [Buffer.alloc(2 * MIB), Buffer.alloc(2 * MIB)]
        await disk.source.read(offset, found)
        await using file = await open(large)
        await file.read(expected, 0, expected.length, offset)
        expect(found.equals(expected)).toBe(true)
      }
    }
  })

  it('takes a file that it knows nothing about for a raw disk', async () => {
    const path = folder.file('root.dump')
    await writeFile(path, Buffer.alloc(3 * MIB + 100, 'partition'))
    await using disk = await openDisk(path)
    expect([disk.format, disk.variant, disk.source.size]).toEqual(['raw', undefined, 3 * MIB + 100])
    expect(await readTable(disk.source)).toBeUndefined()
  })

  it('finds the holes of a raw file', async () => {
    await using disk = await openDisk(raw)
    let data = 0
    for await (const { length } of disk.source.data(0, size)) data += length
    expect(data).toBeGreaterThan(0)
    expect(data).toBeLessThan(8 * MIB)
  })

  it('believes the caller about the format', async () => {
    const path = folder.file('plain.qcow2')
    {
      await using disk = await openDisk(path, { format: 'raw' })
      expect([disk.format, disk.source.size]).toEqual(['raw', (await stat(path)).size])
    }
    await expect(openDisk(path, { format: 'vdi' })).rejects.toMatchObject({ code: 'C2M_DISK_FORMAT' })
    await expect(openDisk(raw, { format: 'vhd' })).rejects.toMatchObject({ code: 'C2M_DISK_FORMAT' })
  })

  it('refuses what is no disk, what is of another format, and names that promise another', async () => {
    const cases: [content: string | Buffer, name: string, code: string][] = [
      ['QED\0rest', 'a.img', 'C2M_DISK_UNSUPPORTED'],
      ['WithoutFreeSpace', 'b', 'C2M_DISK_UNSUPPORTED'],
      ['QFI\xfb\0\0\0\x01', 'c', 'C2M_DISK_UNSUPPORTED'],
      ['COWD\0\0\0\0', 'd.vmdk', 'C2M_DISK_UNSUPPORTED'],
      ['', 'e.vhd', 'C2M_DISK_FORMAT'],
      [Buffer.alloc(MIB), 'f.qcow2', 'C2M_DISK_FORMAT'],
    ]
    for (const [content, name, code] of cases) {
      const path = folder.file(name)
      await writeFile(path, content, 'latin1')
      await expect(openDisk(path)).rejects.toMatchObject({ code })
    }
    await expect(openDisk(folder.path)).rejects.toMatchObject({ code: 'C2M_DISK_NOT_A_FILE' })
    await expect(openDisk('/dev/null')).rejects.toMatchObject({ code: 'C2M_DISK_NOT_A_FILE' })
    await expect(openDisk(folder.file('none'))).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
  })

  it('leaves its image as it was', async () => {
    const path = folder.file('plain.qcow2')
    const before = [await sha256sum(path), (await stat(path)).mtimeMs]
    await using disk = await openDisk(path)
    await readContents(disk.source, MIB)
    expect([await sha256sum(path), (await stat(path)).mtimeMs]).toEqual(before)
  })

  it.skipIf(process.getuid?.() !== 0)('reads a block device', async () => {
    const found = await run('losetup', ['--find', '--show', '--read-only', raw], { accept: [0, 1] })
    if (found.exitCode !== 0) {
      console.warn(`SKIPPED: no loop device: ${found.stderr}`)
      return
    }
    const device = found.stdout.trim()
    try {
      await using disk = await openDisk(device)
      expect([disk.format, disk.source.size]).toEqual(['raw', size])
      expect((await readContents(disk.source)).digest).toBe(digest)
      // the device is held while it is read
      await expect(openDisk(device)).rejects.toMatchObject({ code: 'C2M_DISK_IN_USE' })
    } finally {
      await run('losetup', ['--detach', device])
    }
  })

  it.skipIf(process.getuid?.() === 0)('says when it may not read', async () => {
    await mkdir(folder.file('closed'))
    await writeFile(folder.file('closed/disk'), 'x')
    await chmod(folder.file('closed/disk'), 0)
    await expect(openDisk(folder.file('closed/disk'))).rejects.toMatchObject({ code: 'C2M_FILE_EACCES' })
  })
})

async function outcomeOf(path: string, digest: string): Promise<unknown> {
  try {
    await using disk = await openDisk(path)
    return (await readContents(disk.source)).digest === digest ? 'whole' : 'lost'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

async function victimOf(path: string): Promise<string> {
  const [first, second] = [path.replace(/\.vmdk$/, '-flat.vmdk'), path.replace(/\.vmdk$/, '-s001.vmdk')]
  for (const extent of [first, second, path.replace(/\.vmdk$/, '-f001.vmdk')]) {
    if (extent !== path && (await stat(extent).catch(() => undefined)) !== undefined) return extent
  }
  return path
}

async function sha256sum(path: string): Promise<string> {
  return (await run('sha256sum', [path])).stdout.replace(/^\\/, '').slice(0, 64)
}
