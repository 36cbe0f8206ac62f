import { crc32 } from 'node:zlib'
import type { DiskPlan, PartitionRole } from '@c2m/plugin-api'
import { SECTOR } from '../block/units.js'
import {
  BACKUP_SECTORS,
  ENTRY_COUNT,
  ENTRY_SIZE,
  GPT_REVISION,
  GPT_SIGNATURE,
  HEADER_SIZE,
  LEGACY_BOOTABLE,
  NAME_UNITS,
} from './gpt-layout.js'
import { guidToBytes } from './guid.js'
import { partitionRange } from './layout.js'
import { partitionName, typeGuid } from './types.js'

export interface GptTables {
  /** LBA 1 to 33. */
  readonly primary: Uint8Array
  /** The last 33 sectors. */
  readonly backup: Uint8Array
}

/** @param size bytes of the disk */
export function encodeGpt(plan: DiskPlan, size: number, bootable: PartitionRole | undefined): GptTables {
  const sectors = size / SECTOR
  const entries = encodeEntries(plan, size, bootable)
  const last = sectors - 1
  const backupEntries = sectors - BACKUP_SECTORS
  return {
    primary: Buffer.concat([encodeHeader(plan, sectors, entries, { own: 1, other: last, entriesAt: 2 }), entries]),
    backup: Buffer.concat([
      entries,
      encodeHeader(plan, sectors, entries, { own: last, other: 1, entriesAt: backupEntries }),
    ]),
  }
}

function encodeEntries(plan: DiskPlan, size: number, bootable: PartitionRole | undefined): Buffer {
  const entries = Buffer.alloc(ENTRY_COUNT * ENTRY_SIZE)
  for (const { role, number, partuuid } of plan.partitions) {
    const entry = entries.subarray((number - 1) * ENTRY_SIZE, number * ENTRY_SIZE)
    const range = partitionRange(plan, size, role)
    entry.set(guidToBytes(typeGuid(role, plan.architecture)), 0)
    entry.set(guidToBytes(partuuid), 16)
    entry.writeBigUInt64LE(BigInt(range.offset / SECTOR), 32)
    entry.writeBigUInt64LE(BigInt((range.offset + range.size) / SECTOR - 1), 40)
    entry.writeBigUInt64LE(role === bootable ? LEGACY_BOOTABLE : 0n, 48)
    entry.write(partitionName(role), 56, NAME_UNITS * 2, 'utf16le')
  }
  return entries
}

function encodeHeader(
  plan: DiskPlan,
  sectors: number,
  entries: Uint8Array,
  place: { own: number; other: number; entriesAt: number },
): Buffer {
  const header = Buffer.alloc(SECTOR)
  header.write(GPT_SIGNATURE, 0, 'latin1')
  header.writeUInt32LE(GPT_REVISION, 8)
  header.writeUInt32LE(HEADER_SIZE, 12)
  header.writeBigUInt64LE(BigInt(place.own), 24)
  header.writeBigUInt64LE(BigInt(place.other), 32)
  header.writeBigUInt64LE(BigInt(1 + BACKUP_SECTORS), 40)
  header.writeBigUInt64LE(BigInt(sectors - BACKUP_SECTORS - 1), 48)
  header.set(guidToBytes(plan.id), 56)
  header.writeBigUInt64LE(BigInt(place.entriesAt), 72)
  header.writeUInt32LE(ENTRY_COUNT, 80)
  header.writeUInt32LE(ENTRY_SIZE, 84)
  header.writeUInt32LE(crc32(entries), 88)
  // over the header with this field zero
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_SIZE)), 16)
  return header
}
