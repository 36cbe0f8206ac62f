import { open, truncate, writeFile } from 'node:fs/promises'
import { run } from '@c2m/process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDisk } from '../open/open-disk.js'
import { MIB } from '../testing/plans.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import type { FoundTable } from './found.js'
import { readTable } from './read.js'

const tools = await haveTools({ sfdisk: 'fdisk', fdisk: 'fdisk', sgdisk: 'gdisk' })

describe.skipIf(!tools)('a partition table that another tool made', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let path: string
  beforeEach(async () => {
    folder = await temporaryFolder()
    path = folder.file('disk')
    await writeFile(path, '')
    await truncate(path, 200 * MIB)
  })
  afterEach(() => folder[Symbol.asyncDispose]())

  const found = async (): Promise<FoundTable | undefined> => {
    await using disk = await openDisk(path, { format: 'raw' })
    return await readTable(disk.source)
  }
  const places = (table: FoundTable | undefined) =>
    table?.partitions.map(({ number, offset, size }) => [number, offset / MIB, size / MIB])
  const sfdisk = (input: string) => run('sfdisk', ['--quiet', path], { input })
  const write = async (offset: number, bytes: Uint8Array) => {
    await using file = await open(path, 'r+')
    await file.write(bytes, 0, bytes.length, offset)
  }

  it('is read from sfdisk: GPT with gaps in its numbers and names', async () => {
    await sfdisk('label: gpt\n3: size=10M, type=L, name="größe"\n7: size=20M, type=U\n128: size=5M\n')
    const table = await found()
    expect(places(table)).toEqual([
      [3, 1, 10],
      [7, 11, 20],
      [128, 31, 5],
    ])
    expect(table?.partitions.map(({ name, role }) => [name, role])).toEqual([
      ['größe', undefined],
      ['', 'esp'],
      ['', undefined],
    ])
    expect(table?.problems).toEqual([])
  })

  it('is read from sgdisk: more entries than usual, backup only', async () => {
    await run('sgdisk', ['--resize-table=256', '--new=200:0:+10M', '--typecode=200:8300', path])
    expect(places(await found())).toEqual([[200, 1, 10]])
    await write(512, Buffer.alloc(512))
    const table = await found()
    expect(places(table)).toEqual([[200, 1, 10]])
    expect(table?.problems).toEqual(['the primary GPT is missing or damaged; the backup was used'])
  })

  it('is read from fdisk with sectors of 4096 bytes, also from the backup', async () => {
    await run('fdisk', ['--sector-size', '4096', path], { input: 'g\nn\n\n\n+10M\nn\n\n\n+20M\nw\n' })
    const table = await found()
    expect([table?.sectorSize, places(table), table?.problems]).toEqual([
      4096,
      [
        [1, 1, 10],
        [2, 11, 20],
      ],
      [],
    ])
    await write(4096, Buffer.alloc(4096))
    const fromBackup = await found()
    expect([fromBackup?.sectorSize, fromBackup?.partitions]).toEqual([4096, table?.partitions])
    await write(200 * MIB - 4096, Buffer.alloc(4096))
    await expect(found()).rejects.toMatchObject({ code: 'C2M_GPT_DAMAGED' })
  })

  it('is read from sgdisk: a hybrid MBR is a GPT', async () => {
    await run('sgdisk', ['--new=1:0:+10M', '--new=2:0:+20M', '--hybrid=1:2', path])
    const table = await found()
    expect([table?.table, places(table)]).toEqual([
      'gpt',
      [
        [1, 1, 10],
        [2, 11, 20],
      ],
    ])
  })

  it('is read from sfdisk: an MBR with a chain of logical partitions', async () => {
    await sfdisk('label: dos\n1: size=10M, bootable\n2: size=100M, type=E\n5: size=6M, type=S\n6: size=7M\n')
    const table = await found()
    expect(places(table)).toEqual([
      [1, 1, 10],
      [5, 12, 6],
      [6, 19, 7],
    ])
    const { stdout } = await run('sfdisk', ['--json', path])
    const judged = (JSON.parse(stdout) as { partitiontable: { partitions: { node: string; start: number }[] } })
      .partitiontable.partitions
    expect(table?.partitions.map(({ offset }) => offset / 512)).toEqual(
      judged.filter(({ node }) => !node.endsWith('2')).map(({ start }) => start),
    )
    expect(table?.problems).toEqual([])
  })

  it('is none: zeros, or only a boot signature', async () => {
    expect(await found()).toBeUndefined()
    await write(510, Buffer.from([0x55, 0xaa]))
    expect(await found()).toBeUndefined()
  })

  it('is damaged: a protective MBR without a GPT', async () => {
    await run('sgdisk', ['--new=1:0:+10M', path])
    await write(512, Buffer.alloc(MIB))
    await write(199 * MIB, Buffer.alloc(MIB))
    await expect(found()).rejects.toMatchObject({ code: 'C2M_GPT_DAMAGED' })
  })
})
