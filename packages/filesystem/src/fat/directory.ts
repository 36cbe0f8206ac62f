import type { Timestamp } from '@c2m/plugin-api'
import type { FatName } from './name.js'
import { encodeTime } from './time.js'

export const ENTRY_SIZE = 32
/** What a directory may have: its size must fit 16 bits as a number of entries. */
export const MAX_ENTRIES = 65536
export const ATTRIBUTE_DIRECTORY = 0x10
export const ATTRIBUTE_ARCHIVE = 0x20
const ATTRIBUTE_VOLUME_LABEL = 0x08
const ATTRIBUTE_LONG_NAME = 0x0f
const UNITS_PER_ENTRY = 13
const LAST_LONG_ENTRY = 0x40
/** Where the 13 UTF-16 code units of a long-name entry lie. */
const UNIT_OFFSETS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]

export interface EntryFields {
  readonly attributes: number
  /** 0 for an empty file, and for '..' of a directory in the root. */
  readonly cluster: number
  /** Bytes; 0 for a directory. */
  readonly size: number
  readonly time: Timestamp
}

/** Entries of 32 bytes that a name takes. */
export function entriesFor(name: FatName): number {
  return 1 + (name.long === undefined ? 0 : Math.ceil(name.long.length / UNITS_PER_ENTRY))
}

/**
 * A directory entry, after its long-name entries, last part first ("FAT Directory Structure", "FAT Long Directory
 * Entries"):
 *
 *     0 name (11)   11 attributes   12 case   13 creation: u8 10 ms, u16 time, u16 date   18 u16 access date
 *     20 u16 cluster, high   22 u16 time   24 u16 date   26 u16 cluster, low   28 u32 size
 *
 *     0 order (0x40: last part)   1 units 1–5   11 0x0F   13 checksum of the short name   14 units 6–11   28 units 12–13
 */
export function encodeEntry(name: FatName, fields: EntryFields): Uint8Array {
  const entries = Buffer.alloc(entriesFor(name) * ENTRY_SIZE)
  if (name.long !== undefined) encodeLongName(entries, name.long, checksum(name.short))
  encodeShort(entries.subarray(entries.length - ENTRY_SIZE), name, fields)
  return entries
}

/** '.' and '..' of a directory. */
export function encodeDots(own: EntryFields, parent: EntryFields): Uint8Array {
  const entries = Buffer.alloc(2 * ENTRY_SIZE)
  encodeShort(entries.subarray(0, ENTRY_SIZE), dotName('.'), own)
  encodeShort(entries.subarray(ENTRY_SIZE), dotName('..'), parent)
  return entries
}

/** The volume's label as an entry of the root. @param label 11 bytes */
export function encodeLabel(label: Uint8Array, time: Timestamp): Uint8Array {
  const entry = Buffer.alloc(ENTRY_SIZE)
  encodeShort(entry, { short: label, caseFlags: 0 }, { attributes: ATTRIBUTE_VOLUME_LABEL, cluster: 0, size: 0, time })
  return entry
}

function dotName(name: string): FatName {
  return { short: Buffer.from(name.padEnd(11), 'latin1'), caseFlags: 0 }
}

function encodeShort(entry: Buffer, name: FatName, { attributes, cluster, size, time }: EntryFields): void {
  const stamp = encodeTime(time)
  entry.set(name.short, 0)
  entry.writeUInt8(attributes, 11)
  entry.writeUInt8(name.caseFlags, 12)
  entry.writeUInt8(stamp.hundredths, 13)
  entry.writeUInt16LE(stamp.time, 14)
  entry.writeUInt16LE(stamp.date, 16)
  entry.writeUInt16LE(stamp.date, 18)
  entry.writeUInt16LE(Math.floor(cluster / 0x10000), 20)
  entry.writeUInt16LE(stamp.time, 22)
  entry.writeUInt16LE(stamp.date, 24)
  entry.writeUInt16LE(cluster % 0x10000, 26)
  entry.writeUInt32LE(size, 28)
}

function encodeLongName(entries: Buffer, name: string, sum: number): void {
  const count = entries.length / ENTRY_SIZE - 1
  for (let part = 0; part < count; part++) {
    const entry = entries.subarray((count - 1 - part) * ENTRY_SIZE, (count - part) * ENTRY_SIZE)
    entry.writeUInt8((part + 1) | (part === count - 1 ? LAST_LONG_ENTRY : 0), 0)
    entry.writeUInt8(ATTRIBUTE_LONG_NAME, 11)
    entry.writeUInt8(sum, 13)
    UNIT_OFFSETS.forEach((offset, unit) => {
      const at = part * UNITS_PER_ENTRY + unit
      // one zero ends the name, the rest is filled up
      entry.writeUInt16LE(at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff, offset)
    })
  }
}

/** Ties long-name entries to their short name. */
export function checksum(short: Uint8Array): number {
  return short.reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0)
}
