import { crc32 } from 'node:zlib'
import { clip, type FoundPartition, type FoundTable, type ReadBytes } from './found.js'
import { ENTRY_SIZE, GPT_REVISION, GPT_SIGNATURE, HEADER_SIZE, LEGACY_BOOTABLE, NAME_UNITS } from './gpt-layout.js'
import { guidFromBytes } from './guid.js'
import { roleOfGuid } from './types.js'

/** More than any tool makes; keeps a hostile header from asking for gigabytes. */
const MAX_ENTRIES = 4096
const MAX_ENTRY_SIZE = 4096
const MAX_TABLE_BYTES = 4 * 1024 * 1024
const SECTOR_SIZES = [512, 4096]
const NO_TYPE = '00000000-0000-0000-0000-000000000000'

interface Disk {
  readonly read: ReadBytes
  readonly size: number
  readonly sectorSize: number
}

interface Header {
  readonly id: string
  readonly backupLba: number
  readonly entries: Buffer
  readonly entrySize: number
}

/**
 * Reads a GPT for sectors of 512 or 4096 bytes, the backup where the primary is damaged; undefined when neither is whole.
 * Every length and checksum is checked before it is used.
 */
export async function readGpt(read: ReadBytes, size: number): Promise<FoundTable | undefined> {
  const disks = SECTOR_SIZES.map((sectorSize) => ({ read, size, sectorSize }))
  for (const disk of disks) {
    const primary = await readHeader(disk, 1)
    if (primary === undefined) continue
    const backup = await readHeader(disk, primary.backupLba)
    return decode(primary, disk, backup === undefined ? ['the backup GPT is missing or damaged'] : [])
  }
  // only now: a stale backup for sectors of the other size may have been left behind
  for (const disk of disks) {
    const backup = await readHeader(disk, Math.floor(size / disk.sectorSize) - 1)
    if (backup === undefined) continue
    return decode(backup, disk, ['the primary GPT is missing or damaged; the backup was used'])
  }
  return undefined
}

async function readHeader({ read, size, sectorSize }: Disk, lba: number): Promise<Header | undefined> {
  const sectors = Math.floor(size / sectorSize)
  if (lba < 1 || lba >= sectors) return undefined
  const header = Buffer.from(await read(lba * sectorSize, sectorSize))
  if (header.toString('latin1', 0, 8) !== GPT_SIGNATURE || header.readUInt32LE(8) < GPT_REVISION) return undefined
  const headerSize = header.readUInt32LE(12)
  if (headerSize < HEADER_SIZE || headerSize > sectorSize) return undefined
  const expected = header.readUInt32LE(16)
  const covered = Buffer.from(header.subarray(0, headerSize))
  covered.writeUInt32LE(0, 16)
  if (crc32(covered) !== expected || toNumber(header.readBigUInt64LE(24)) !== lba) return undefined

  const entriesAt = toNumber(header.readBigUInt64LE(72))
  const count = header.readUInt32LE(80)
  const entrySize = header.readUInt32LE(84)
  const length = count * entrySize
  if (count === 0 || count > MAX_ENTRIES || length > MAX_TABLE_BYTES) return undefined
  if (entrySize < ENTRY_SIZE || entrySize > MAX_ENTRY_SIZE || entrySize % ENTRY_SIZE !== 0) return undefined
  if (entriesAt < 1 || entriesAt * sectorSize + length > size) return undefined
  const entries = Buffer.from(await read(entriesAt * sectorSize, length))
  if (crc32(entries) !== header.readUInt32LE(88)) return undefined
  return {
    id: guidFromBytes(header.subarray(56, 72)),
    backupLba: toNumber(header.readBigUInt64LE(32)),
    entries,
    entrySize,
  }
}

function decode(header: Header, { size, sectorSize }: Disk, problems: string[]): FoundTable {
  const partitions: FoundPartition[] = []
  for (let at = 0, number = 1; at < header.entries.length; at += header.entrySize, number++) {
    const entry = header.entries.subarray(at, at + header.entrySize)
    const type = guidFromBytes(entry.subarray(0, 16))
    if (type === NO_TYPE) continue
    const first = toNumber(entry.readBigUInt64LE(32))
    const sectors = toNumber(entry.readBigUInt64LE(40)) - first + 1
    const place = clip(number, { first, sectors }, Math.floor(size / sectorSize), problems)
    if (place === undefined) continue
    const role = roleOfGuid(type)
    partitions.push({
      number,
      offset: place.first * sectorSize,
      size: place.sectors * sectorSize,
      type,
      ...(role === undefined ? {} : { role }),
      partuuid: guidFromBytes(entry.subarray(16, 32)),
      name: decodeName(entry.subarray(56, 56 + NAME_UNITS * 2)),
      bootable: (entry.readBigUInt64LE(48) & LEGACY_BOOTABLE) !== 0n,
    })
  }
  return { table: 'gpt', id: header.id, sectorSize, partitions, problems }
}

function decodeName(bytes: Buffer): string {
  const name = bytes.toString('utf16le')
  const end = name.indexOf('\0')
  return end === -1 ? name : name.slice(0, end)
}

/** Infinity for what no disk has: every check against a size then fails. */
function toNumber(value: bigint): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.POSITIVE_INFINITY
}
