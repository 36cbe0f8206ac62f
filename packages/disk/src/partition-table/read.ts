import { C2mError } from '@c2m/process'
import type { BlockSource } from '../block/source.js'
import { SECTOR } from '../block/units.js'
import { noteOverlaps, type FoundTable, type ReadBytes } from './found.js'
import { readGpt } from './gpt-reader.js'
import { announcesGpt, readMbr } from './mbr-reader.js'

/**
 * Finds the partition table of a disk whose bytes `read` gives; undefined when it has none. The disk may be hostile:
 * nothing outside of it is read, partitions that leave it are cut, chains end.
 * @param size bytes of the disk
 * @throws C2M_GPT_DAMAGED when the MBR announces a GPT of which neither copy is whole; what `read` throws
 */
export async function readPartitionTable(read: ReadBytes, size: number): Promise<FoundTable | undefined> {
  if (size < SECTOR) return undefined
  const sector = await read(0, SECTOR)
  const table = announcesGpt(sector) ? await readAnnouncedGpt(read, size) : await readUnannounced(sector, read, size)
  if (table === undefined) return undefined
  const problems = [...table.problems]
  noteOverlaps(table.partitions, problems)
  return { ...table, problems }
}

/** `readPartitionTable` of a source. */
export function readTable(source: BlockSource): Promise<FoundTable | undefined> {
  const read = async (offset: number, length: number) => {
    const bytes = new Uint8Array(length)
    await source.read(offset, bytes)
    return bytes
  }
  return readPartitionTable(read, source.size)
}

async function readAnnouncedGpt(read: ReadBytes, size: number): Promise<FoundTable> {
  const table = await readGpt(read, size)
  if (table !== undefined) return table
  throw new C2mError('C2M_GPT_DAMAGED', 'the disk has a GPT, but both its copies are missing or damaged', {
    hint: 'check that the file is complete; gdisk can often repair such a table',
  })
}

/** An MBR wins over what may be left of an earlier GPT, as in Linux; without one, a whole GPT is still worth reading. */
async function readUnannounced(sector: Uint8Array, read: ReadBytes, size: number): Promise<FoundTable | undefined> {
  const mbr = await readMbr(sector, read, size)
  if (mbr !== undefined) return mbr
  const gpt = await readGpt(read, size)
  return gpt && { ...gpt, problems: ['the protective MBR is missing', ...gpt.problems] }
}
