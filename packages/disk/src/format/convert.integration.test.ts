import type { DiskFormat } from '@c2m/plugin-api'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { run } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { createRawDisk } from '../block/raw-disk.js'
import { diskSize } from '../partition-table/layout.js'
import { writePartitionTable } from '../partition-table/write.js'
import { MIB, plan, random } from '../testing/plans.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import { convertRawDisk, type ConvertOptions } from './convert.js'
import { qemuFormat } from './formats.js'
import { sniffDisk } from './sniff.js'

const tools = await haveTools({ 'qemu-img': 'qemu-utils' })

/** 150 MiB with a table and some data that does not compress. */
async function makeRaw(path: string): Promise<void> {
  const disk = plan('gpt', ['esp', 'root'])
  await using target = await createRawDisk(path, diskSize(disk, 84 * MIB))
  await writePartitionTable(target, disk)
  for (let block = 0; block < 64; block++) {
    const noise = Buffer.concat(
      Array.from({ length: 128 }, (_, index) => createHash('sha256').update(`${block}/${index}`).digest()),
    )
    await target.write((3 + 2 * block) * MIB + block * 4096, noise)
  }
}

const cases: [format: DiskFormat, variant: string | undefined, options: ConvertOptions][] = [
  ['raw', 'gpt', {}],
  ['qcow2', undefined, {}],
  ['qcow2', undefined, { compress: true }],
  ['vdi', 'dynamic', {}],
  ['vmdk', 'monolithicSparse', {}],
  ['vmdk', 'streamOptimized', { subformat: 'streamOptimized' }],
  ['vhd', 'dynamic', {}],
  ['vhd', 'fixed', { subformat: 'fixed' }],
  ['vhdx', undefined, {}],
]

describe.skipIf(!tools)('convertRawDisk', () => {
  it.each(cases)('writes %s (%s)', async (format, variant, options) => {
    await using folder = await temporaryFolder()
    const [raw, out] = [folder.file('a: raw'), folder.file('out: put')]
    await makeRaw(raw)
    await convertRawDisk(raw, out, format, options)

    const qemu = qemuFormat(format)
    expect(await sniffDisk(out)).toEqual({ format, ...(variant === undefined ? {} : { variant }), refersTo: [] })
    const compared = await run('qemu-img', ['compare', '-f', 'raw', '-F', qemu, raw, out])
    expect(compared.stdout).toMatch(/Images are identical/)
    if (['qcow2', 'vdi', 'vmdk', 'vhdx'].includes(format)) {
      expect((await run('qemu-img', ['check', '-f', qemu, out])).stdout).toMatch(/No errors were found/)
    }
    const info = JSON.parse((await run('qemu-img', ['info', '--output=json', '-f', qemu, out])).stdout) as {
      'virtual-size': number
    }
    expect(info['virtual-size']).toBe((await stat(raw)).size)
    expect((await stat(out)).blocks * 512).toBeLessThan((await stat(raw)).size)
    if (variant === 'fixed') expect((await stat(out)).size).toBe((await stat(raw)).size + 512)
  })

  it.each(cases.filter(([format]) => format !== 'vhdx'))('gives the same %s (%s) twice', async (format, _, options) => {
    await using folder = await temporaryFolder()
    await makeRaw(folder.file('raw'))
    for (const name of ['one', 'two']) {
      await mkdir(folder.file(name))
      await convertRawDisk(folder.file('raw'), folder.file(`${name}/disk`), format, { ...options, random })
      // vhd: the clock counts seconds
      if (format === 'vhd' && name === 'one') await new Promise((resolve) => setTimeout(resolve, 1100))
    }
    expect((await readFile(folder.file('one/disk'))).equals(await readFile(folder.file('two/disk')))).toBe(true)
    const qemu = qemuFormat(format)
    const compared = await run('qemu-img', [
      'compare',
      '-f',
      'raw',
      '-F',
      qemu,
      folder.file('raw'),
      folder.file('one/disk'),
    ])
    expect(compared.stdout).toMatch(/Images are identical/)
  })

  it('leaves nothing when it fails or is interrupted', async () => {
    await using folder = await temporaryFolder()
    const missing = convertRawDisk(folder.file('no'), folder.file('out'), 'qcow2')
    await expect(missing).rejects.toMatchObject({ code: 'C2M_COMMAND_FAILED' })
    await writeFile(folder.file('out'), '')
    await makeRaw(folder.file('raw'))
    const abort = new AbortController()
    const converting = convertRawDisk(folder.file('raw'), folder.file('out'), 'vmdk', { signal: abort.signal })
    setTimeout(() => abort.abort(), 5)
    await expect(converting).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    expect(await readdir(folder.path)).toEqual(['raw'])
  })

  it('refuses what a format cannot do', async () => {
    await using folder = await temporaryFolder()
    const [raw, out] = [folder.file('raw'), folder.file('out')]
    await writeFile(raw, '')
    await truncate(raw, MIB + 512)
    const option = { code: 'C2M_FORMAT_OPTION', exitCode: 2 }
    await expect(convertRawDisk(raw, out, 'qcow2', { subformat: 'fixed' })).rejects.toMatchObject(option)
    await expect(convertRawDisk(raw, out, 'vdi', { compress: true })).rejects.toMatchObject(option)
    const size = { code: 'C2M_FORMAT_SIZE' }
    await expect(convertRawDisk(raw, out, 'vhd', { subformat: 'fixed' })).rejects.toMatchObject(size)
    await truncate(raw, 2041 * 1024 * MIB)
    await expect(convertRawDisk(raw, out, 'vhd')).rejects.toMatchObject(size)
    expect(await readdir(folder.path)).toEqual(['raw'])
  })
})
