import { run } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { createRawDisk } from '../block/raw-disk.js'
import { MIB, plan } from '../testing/plans.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import { diskSize, partitionRange } from './layout.js'
import { typeGuid } from './types.js'
import { writePartitionTable } from './write.js'

const tools = await haveTools({ sfdisk: 'fdisk', fdisk: 'fdisk', sgdisk: 'gdisk', blkid: 'util-linux' })

interface SfdiskJson {
  partitiontable: {
    label: string
    id: string
    partitions: {
      node: string
      start: number
      size: number
      type: string
      uuid?: string
      bootable?: boolean
      attrs?: string
      name?: string
    }[]
  }
}

const layouts = [
  plan('gpt', ['root']),
  plan('gpt', ['bios-boot', 'esp', 'boot', 'swap', 'root']),
  plan('gpt', ['esp', 'root'], 'arm64'),
  plan('mbr', ['root']),
  plan('mbr', ['esp', 'boot', 'swap', 'root']),
]

describe.skipIf(!tools)('the partition table as other tools see it', () => {
  it.each(
    layouts.map((disk) => [`${disk.table}: ${disk.partitions.map(({ role }) => role).join(', ')}`, disk] as const),
  )('%s', async (_, disk) => {
    await using folder = await temporaryFolder()
    const path = folder.file('disk.img')
    const size = diskSize(disk, 100 * MIB)
    {
      await using target = await createRawDisk(path, size)
      await writePartitionTable(target, disk)
    }
    const verified = await run('sfdisk', ['--verify', path])
    expect(verified.stdout + verified.stderr).toMatch(/No errors detected/)
    expect(verified.stderr).toBe('')

    const { partitiontable } = JSON.parse((await run('sfdisk', ['--json', path])).stdout) as SfdiskJson
    expect(partitiontable.label).toBe(disk.table === 'gpt' ? 'gpt' : 'dos')
    expect(partitiontable.id.toLowerCase()).toBe(disk.table === 'gpt' ? disk.id : `0x${disk.id}`)
    expect(
      partitiontable.partitions.map(({ node, start, size: sectors }) => [node, start * 512, sectors * 512]),
    ).toEqual(
      disk.partitions.map(({ number, role }) => {
        const range = partitionRange(disk, size, role)
        return [`${path}${number}`, range.offset, range.size]
      }),
    )
    if (disk.table === 'gpt') {
      expect(partitiontable.partitions.map(({ uuid }) => uuid?.toLowerCase())).toEqual(
        disk.partitions.map((p) => p.partuuid),
      )
      expect(partitiontable.partitions.map(({ type }) => type.toLowerCase())).toEqual(
        disk.partitions.map(({ role }) => typeGuid(role, disk.architecture)),
      )
      expect(partitiontable.partitions.filter(({ attrs }) => attrs === 'LegacyBIOSBootable')).toHaveLength(1)
      expect((await run('sgdisk', ['-v', path])).stdout).toMatch(/No problems found/)
    } else {
      const types = { esp: 'ef', boot: '83', swap: '82', root: '83', 'bios-boot': '' }
      expect(partitiontable.partitions.map(({ type }) => type)).toEqual(disk.partitions.map(({ role }) => types[role]))
      expect(partitiontable.partitions.filter(({ bootable }) => bootable)).toHaveLength(1)
    }

    const listed = await run('fdisk', ['-l', path], { env: { ...process.env, LC_ALL: 'C' } })
    expect(listed.stdout).toMatch(disk.table === 'gpt' ? /Disklabel type: gpt/ : /Disklabel type: dos/)
    expect(listed.stderr).toBe('')
    const probed = await run('blkid', ['-p', '-o', 'export', path])
    expect(probed.stdout).toContain(`PTUUID=${disk.id}`)
    expect(probed.stdout).toContain(disk.table === 'gpt' ? 'PTTYPE=gpt' : 'PTTYPE=dos')
  })

  it('is judged broken when a byte of it changes', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('disk.img')
    const disk = plan('gpt', ['esp', 'root'])
    {
      await using target = await createRawDisk(path, diskSize(disk, MIB))
      await writePartitionTable(target, disk)
      await target.write(1024 + 56, Uint8Array.of(7))
    }
    expect((await run('sgdisk', ['-v', path], { accept: [0, 1, 2, 3, 4] })).stdout).toMatch(/Problem: /)
  })
})
