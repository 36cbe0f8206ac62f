import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diskOf, memoryDisk, type MemoryDisk } from '../testing/memory-disk.js'
import { MIB, plan } from '../testing/plans.js'
import { diskSize, partitionRange } from './layout.js'
import { readPartitionTable } from './read.js'
import { writePartitionTable } from './write.js'

const GPT = plan('gpt', ['bios-boot', 'esp', 'swap', 'root'])
const MBR = plan('mbr', ['boot', 'swap', 'root'])

async function diskWith(disk: typeof GPT): Promise<MemoryDisk> {
  const target = memoryDisk(diskSize(disk, 2 * MIB))
  target.bytes.fill(0xaa, 0, 440)
  await writePartitionTable(target, disk)
  return target
}

function read(disk: MemoryDisk) {
  return readPartitionTable(disk.read, disk.size)
}

describe('writePartitionTable and readPartitionTable', () => {
  it.each([
    ['gpt', GPT],
    ['mbr', MBR],
  ] as const)('agree about %s', async (_, disk) => {
    const target = await diskWith(disk)
    const table = await read(target)
    expect(table).toMatchObject({ table: disk.table, id: disk.id, sectorSize: 512, problems: [] })
    expect(table?.partitions.map(({ number, offset, size, partuuid }) => ({ number, offset, size, partuuid }))).toEqual(
      disk.partitions.map(({ number, role, partuuid }) => ({
        number,
        ...partitionRange(disk, target.size, role),
        partuuid,
      })),
    )
  })

  it('leave the boot code alone', async () => {
    for (const disk of [GPT, MBR]) {
      const { bytes } = await diskWith(disk)
      expect(bytes.subarray(0, 440).equals(Buffer.alloc(440, 0xaa))).toBe(true)
    }
  })

  it('flag the partition that holds /boot, or the one asked for', async () => {
    const flagged = async (target: MemoryDisk) =>
      (await read(target))?.partitions.filter((p) => p.bootable).map((p) => p.number)
    expect(await flagged(await diskWith(GPT))).toEqual([4])
    expect(await flagged(await diskWith(MBR))).toEqual([1])
    const target = await diskWith(MBR)
    await writePartitionTable(target, MBR, { bootable: 'root' })
    expect(await flagged(target)).toEqual([3])
  })

  it('refuse a disk that is no whole number of sectors', async () => {
    await expect(writePartitionTable(memoryDisk(200 * MIB + 1), GPT)).rejects.toMatchObject({ code: 'C2M_DISK_SIZE' })
  })
})

describe('a damaged GPT', () => {
  it('is read from its backup', async () => {
    const target = await diskWith(GPT)
    target.bytes.fill(0, 512, 1024)
    const table = await read(target)
    expect(table?.partitions).toHaveLength(4)
    expect(table?.problems).toEqual(['the primary GPT is missing or damaged; the backup was used'])
  })

  it('is read when a bit of the primary entries flipped', async () => {
    const target = await diskWith(GPT)
    target.bytes.writeUInt8(target.bytes.readUInt8(1024 + 40) ^ 1, 1024 + 40)
    expect((await read(target))?.problems).toHaveLength(1)
  })

  it('is reported when the backup is gone, as after growing the disk', async () => {
    const target = await diskWith(GPT)
    const grown = diskOf(Buffer.concat([target.bytes, Buffer.alloc(MIB)]))
    expect((await read(grown))?.problems).toEqual([])
    const cut = diskOf(Buffer.from(target.bytes.subarray(0, target.size - MIB / 2)))
    expect((await read(cut))?.problems).toEqual(['the backup GPT is missing or damaged'])
  })

  it('is an error when no copy is whole', async () => {
    const target = await diskWith(GPT)
    target.bytes.fill(0, 512, 1024)
    target.bytes.fill(0, target.size - 512)
    await expect(read(target)).rejects.toMatchObject({ code: 'C2M_GPT_DAMAGED' })
  })

  it('is read without a protective MBR, but not past a real one', async () => {
    const target = await diskWith(GPT)
    target.bytes.fill(0, 440, 512)
    expect((await read(target))?.problems).toEqual(['the protective MBR is missing'])
    await writePartitionTable(target, MBR)
    expect((await read(target))?.table).toBe('mbr')
  })
})

describe('a hostile MBR', () => {
  const entry = (status: number, type: number, first: number, sectors: number) => {
    const bytes = Buffer.alloc(16)
    bytes.writeUInt8(status, 0)
    bytes.writeUInt8(type, 4)
    bytes.writeUInt32LE(first, 8)
    bytes.writeUInt32LE(sectors, 12)
    return bytes
  }
  const put = (disk: MemoryDisk, sector: number, ...entries: Buffer[]) => {
    disk.bytes.set(Buffer.concat(entries), sector * 512 + 446)
    disk.bytes.writeUInt16BE(0x55aa, sector * 512 + 510)
  }

  it('gives logical partitions their numbers', async () => {
    const disk = memoryDisk(MIB)
    put(disk, 0, entry(0x80, 0x83, 1, 9), entry(0, 0x05, 10, 100))
    put(disk, 10, entry(0, 0x83, 1, 5), entry(0, 0x05, 20, 30))
    put(disk, 30, entry(0, 0x82, 1, 5))
    const table = await read(disk)
    expect(table?.partitions.map(({ number, offset, size }) => [number, offset / 512, size / 512])).toEqual([
      [1, 1, 9],
      [5, 11, 5],
      [6, 31, 5],
    ])
    expect(table?.problems).toEqual([])
  })

  it('cannot make the reader loop', async () => {
    const disk = memoryDisk(MIB)
    put(disk, 0, entry(0, 0x05, 10, 100))
    put(disk, 10, entry(0, 0x83, 1, 5), entry(0, 0x05, 20, 30))
    put(disk, 30, entry(0, 0x83, 1, 5), entry(0, 0x05, 20, 30))
    expect((await read(disk))?.problems.join()).toMatch(/loops/)
  })

  it('cannot lead behind the end of the disk, to itself, or to a second chain', async () => {
    const disk = memoryDisk(MIB)
    put(disk, 0, entry(0, 0x05, 10, 100), entry(0, 0x0f, 500, 100))
    put(disk, 10, entry(0, 0x83, 1, 5), entry(0, 0x05, 0xfffffff0, 30))
    put(disk, 500, entry(0, 0x83, 1, 5))
    const table = await read(disk)
    expect(table?.partitions.map(({ number, offset }) => [number, offset / 512])).toEqual([[5, 11]])
    expect(table?.problems).toHaveLength(2)
    put(disk, 0, entry(0, 0x05, 0, 100), entry(0, 0, 0, 0))
    expect((await read(disk))?.problems).toEqual(['partition 1 has an impossible extent'])
    put(disk, 0, entry(0, 0x05, 5000, 100))
    expect((await read(disk))?.problems).toEqual(['partition 1 begins behind the end of the disk'])
  })

  it('has partitions cut at the end of the disk, and overlaps named', async () => {
    const disk = memoryDisk(MIB)
    put(disk, 0, entry(0, 0x83, 1, 0xffffffff), entry(0, 0x83, 3000, 5), entry(0, 0x83, 5, 10))
    const table = await read(disk)
    expect(table?.partitions.map(({ number, size }) => [number, size / 512])).toEqual([
      [1, 2047],
      [3, 10],
    ])
    expect(table?.problems).toHaveLength(3)
  })

  it('is not seen in the boot sector of a file system', async () => {
    const disk = memoryDisk(MIB)
    put(disk, 0, entry(0, 0x83, 1, 5))
    disk.bytes.write('FAT32   ', 82, 'latin1')
    expect(await read(disk)).toBeUndefined()
    expect(await read(memoryDisk(MIB))).toBeUndefined()
    expect(await read(memoryDisk(100))).toBeUndefined()
  })
})

describe('random bytes over a table', () => {
  it.each([
    ['gpt', GPT],
    ['mbr', MBR],
  ] as const)('never lead out of the disk (%s)', async (_, disk) => {
    const pristine = (await diskWith(disk)).bytes
    const target = diskOf(Buffer.from(pristine))
    const change = fc.record({
      offset: fc.oneof(fc.integer({ min: 440, max: 2048 }), fc.nat(pristine.length - 1)),
      byte: fc.nat(255),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
        for (const { offset, byte } of changes) target.bytes[offset] = byte
        try {
          const table = await read(target)
          for (const { offset, size } of table?.partitions ?? []) {
            expect(offset > 0 && size > 0 && offset + size <= target.size).toBe(true)
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'C2M_GPT_DAMAGED' })
        } finally {
          for (const { offset } of changes) target.bytes[offset] = pristine[offset] ?? 0
        }
      }),
      { numRuns: 300 },
    )
  })
})
