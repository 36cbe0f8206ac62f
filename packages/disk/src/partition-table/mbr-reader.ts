import { SECTOR } from '../block/units.js'
import { clip, type FoundPartition, type FoundTable, type Place, type ReadBytes } from './found.js'
import { MBR_ACTIVE, MBR_ENTRIES, MBR_ENTRY_SIZE, MBR_PROTECTIVE, MBR_TAIL_OFFSET } from './mbr.js'
import { isExtended, roleOfByte } from './types.js'

/** More than Linux reads (its chain ends at 255 partitions of a disk). */
const MAX_LOGICAL = 256
const FIRST_LOGICAL = 5

interface MbrEntry {
  readonly number: number
  readonly status: number
  readonly type: number
  readonly place: Place
}

/** True when LBA 0 announces a GPT: one of its entries has the protective type. */
export function announcesGpt(sector: Uint8Array): boolean {
  return hasSignature(sector) && entriesOf(sector).some(({ type }) => type === MBR_PROTECTIVE)
}

/**
 * Reads an MBR with its chain of logical partitions; undefined when LBA 0 holds none: no signature, impossible status
 * bytes, no entry at all, or the boot sector of a file system, which ends in the same two bytes.
 * @param sector LBA 0
 */
export async function readMbr(sector: Uint8Array, read: ReadBytes, size: number): Promise<FoundTable | undefined> {
  const entries = entriesOf(sector)
  const used = entries.filter(({ type }) => type !== 0)
  if (!hasSignature(sector) || isFilesystemBootSector(sector) || used.length === 0) return undefined
  if (entries.some(({ status }) => status !== 0 && status !== MBR_ACTIVE)) return undefined

  const problems: string[] = []
  const disk = { read, sectors: Math.floor(size / SECTOR), problems }
  const found: MbrEntry[] = []
  const extended: Place[] = []
  for (const entry of used) {
    const place = clip(entry.number, entry.place, disk.sectors, problems)
    if (place === undefined) continue
    if (isExtended(entry.type)) extended.push(place)
    else found.push({ ...entry, place })
  }
  if (extended.length > 1) problems.push('there are several extended partitions; only the first is read')
  if (extended[0] !== undefined) found.push(...(await readLogical(extended[0], disk)))
  const id = view(sector).readUInt32LE(MBR_TAIL_OFFSET).toString(16).padStart(8, '0')
  const partitions = found.sort((a, b) => a.number - b.number).map((entry) => describe(entry, id))
  return { table: 'mbr', id, sectorSize: SECTOR, partitions, problems }
}

/**
 * The chain of extended boot records: entry 1 is a logical partition, relative to its own record; entry 2 the next
 * record, relative to the extended partition.
 */
async function readLogical(
  extended: Place,
  { read, sectors, problems }: { read: ReadBytes; sectors: number; problems: string[] },
): Promise<MbrEntry[]> {
  const found: MbrEntry[] = []
  const seen = new Set<number>()
  let number = FIRST_LOGICAL
  for (let at = extended.first; ;) {
    if (at >= sectors || seen.has(at) || seen.size >= MAX_LOGICAL) {
      problems.push('the chain of logical partitions is broken: it loops, is too long or leaves the disk')
      return found
    }
    seen.add(at)
    const record = await read(at * SECTOR, SECTOR)
    const [own, next] = entriesOf(record)
    if (own === undefined || next === undefined || !hasSignature(record)) {
      problems.push(`the extended boot record at sector ${at} is damaged`)
      return found
    }
    if (own.type !== 0 && !isExtended(own.type)) {
      const place = clip(number, { first: at + own.place.first, sectors: own.place.sectors }, sectors, problems)
      if (place !== undefined) found.push({ ...own, number, place })
      number++
    }
    if (!isExtended(next.type) || next.place.first === 0) return found
    at = extended.first + next.place.first
  }
}

function describe({ number, status, type, place }: MbrEntry, id: string): FoundPartition {
  const role = roleOfByte(type)
  return {
    number,
    offset: place.first * SECTOR,
    size: place.sectors * SECTOR,
    type: type.toString(16).padStart(2, '0'),
    ...(role === undefined ? {} : { role }),
    partuuid: `${id}-${number.toString(16).padStart(2, '0')}`,
    bootable: status === MBR_ACTIVE,
  }
}

function entriesOf(sector: Uint8Array): MbrEntry[] {
  return [1, 2, 3, 4].map((number) => {
    const entry = view(sector).subarray(MBR_ENTRIES + (number - 1) * MBR_ENTRY_SIZE)
    return {
      number,
      status: entry.readUInt8(0),
      type: entry.readUInt8(4),
      place: { first: entry.readUInt32LE(8), sectors: entry.readUInt32LE(12) },
    }
  })
}

function hasSignature(sector: Uint8Array): boolean {
  return sector[510] === 0x55 && sector[511] === 0xaa
}

/** FAT, exFAT and NTFS put their names where an MBR has code. */
function isFilesystemBootSector(sector: Uint8Array): boolean {
  const text = (offset: number, length: number) => view(sector).toString('latin1', offset, offset + length)
  return text(3, 8) === 'NTFS    ' || text(3, 8) === 'EXFAT   ' || text(54, 3) === 'FAT' || text(82, 5) === 'FAT32'
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
