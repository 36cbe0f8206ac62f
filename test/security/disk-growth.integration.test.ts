import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { checkDisk, readPartitionTable } from '@c2m/disk'
import { findTool } from '@c2m/process'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { expectLinear } from './growth.js'

const SECTOR = 512
const DISK = 2 ** 30

/** A disk in memory of which only the beginning is written. */
function reader(bytes: Buffer) {
  return async (offset: number, length: number) => {
    const read = new Uint8Array(length)
    read.set(bytes.subarray(offset, offset + length))
    return read
  }
}

function withSignature(sector: Buffer): Buffer {
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

/** An entry of an MBR (UEFI specification, table 5-2). */
function writeEntry(sector: Buffer, index: number, type: number, first: number, sectors: number): void {
  const at = 446 + 16 * index
  sector[at + 4] = type
  sector.writeUInt32LE(first, at + 8)
  sector.writeUInt32LE(sectors, at + 12)
}

/** Logical partitions, each with its own table. */
function chain(size: number): Buffer {
  const bytes = Buffer.alloc(SECTOR * (2048 + 4 * size))
  writeEntry(withSignature(bytes.subarray(0, SECTOR)), 0, 5, 2048, 1_000_000)
  for (let index = 0; index < size; index++) {
    const sector = withSignature(bytes.subarray(SECTOR * (2048 + 4 * index)).subarray(0, SECTOR))
    writeEntry(sector, 0, 0x83, 1, 1)
    if (index + 1 < size) writeEntry(sector, 1, 5, 4 * (index + 1), 4)
  }
  return bytes
}

/** A GPT whose partitions all overlap (UEFI specification, section 5.3). */
function overlapping(size: number): Buffer {
  const bytes = Buffer.alloc(SECTOR * 2 + size * 128)
  writeEntry(withSignature(bytes.subarray(0, SECTOR)), 0, 0xee, 1, 0xffffffff)
  const entries = bytes.subarray(SECTOR * 2)
  for (let index = 0; index < size; index++) {
    const entry = entries.subarray(128 * index)
    entry.fill(0x11, 0, 16)
    entry.writeUInt32LE(index, 16)
    entry.writeBigUInt64LE(4096n, 32)
    entry.writeBigUInt64LE(1_000_000n, 40)
  }
  const header = bytes.subarray(SECTOR, SECTOR + 92)
  header.write('EFI PART', 0, 'latin1')
  header.writeUInt32LE(0x10000, 8)
  header.writeUInt32LE(92, 12)
  header.writeBigUInt64LE(1n, 24)
  header.writeBigUInt64LE(BigInt(DISK / SECTOR - 1), 32)
  header.writeBigUInt64LE(2n, 72)
  header.writeUInt32LE(size, 80)
  header.writeUInt32LE(128, 84)
  header.writeUInt32LE(crc32(entries), 88)
  header.writeUInt32LE(crc32(header), 16)
  return bytes
}

describe('time that disks take', () => {
  let folder = ''
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'c2m-disk-growth-'))))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['a chain of logical partitions', 4096, chain],
    ['partitions that overlap', 2048, overlapping],
  ] as const)('of %s grows with their number only', (_name, largest, make) =>
    expectLinear({ smallest: 64, largest }, (size) => {
      const bytes = make(size)
      return () => readPartitionTable(reader(bytes), DISK)
    }),
  )

  it('of a qcow2’s tables grows with their size only', async ({ skip }) => {
    if ((await findTool('qemu-img')) === undefined) skip('needs qemu-img: apt-get install qemu-utils')
    await expectLinear({ smallest: 2, largest: 32 }, (size) => {
      const path = join(folder, `${size}.qcow2`)
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', path, `${size}G`])
      return () => checkDisk(path)
    })
  })
})
