import type { DiskPlan, PartitionRole } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { SECTOR } from '../block/units.js'
import { MBR_MAX_SECTORS, partitionRange } from './layout.js'
import { typeByte } from './types.js'

/**
 * Master boot record (LBA 0); the classic layout, as in UEFI Specification 2.10, section 5.2.
 *
 *       0 boot code              446 four entries of 16 bytes
 *     440 u32 disk signature     510 0x55 0xAA
 *     444 u16 zero
 *
 * Entry: 0 status (0x80 active), 1 CHS of the first sector, 4 type, 5 CHS of the last, 8 u32 first LBA, 12 u32 sectors.
 *
 * What is encoded here begins at byte 440, so that boot code stays untouched.
 */
export const MBR_TAIL_OFFSET = 440
export const MBR_ENTRIES = 446
export const MBR_ENTRY_SIZE = 16
export const MBR_ACTIVE = 0x80
export const MBR_PROTECTIVE = 0xee

/** @param size bytes of the disk */
export function encodeMbr(plan: DiskPlan, size: number, bootable: PartitionRole | undefined): Uint8Array {
  const tail = emptyTail()
  tail.writeUInt32LE(Number.parseInt(plan.id, 16), 0)
  for (const { role, number } of plan.partitions) {
    if (role === 'bios-boot' || number > 4) {
      throw new C2mError('C2M_DISK_PLAN', `partition ${number} (${role}) has no place on an MBR disk`, {
        hint: 'use GPT',
      })
    }
    const range = partitionRange(plan, size, role)
    writeEntry(tail, number, {
      status: role === bootable ? MBR_ACTIVE : 0,
      type: typeByte(role),
      first: range.offset / SECTOR,
      sectors: range.size / SECTOR,
    })
  }
  return tail
}

/** The MBR of a GPT disk: one partition over all of it, so that old tools see no free space (section 5.2.3). */
export function encodeProtectiveMbr(size: number): Uint8Array {
  const tail = emptyTail()
  const sectors = Math.min(size / SECTOR - 1, MBR_MAX_SECTORS)
  writeEntry(tail, 1, { status: 0, type: MBR_PROTECTIVE, first: 1, sectors, beyond: [0xff, 0xff, 0xff] })
  return tail
}

function emptyTail(): Buffer {
  const tail = Buffer.alloc(SECTOR - MBR_TAIL_OFFSET)
  tail.writeUInt16BE(0x55aa, 510 - MBR_TAIL_OFFSET)
  return tail
}

function writeEntry(
  tail: Buffer,
  number: number,
  fields: {
    status: number
    type: number
    first: number
    sectors: number
    /** CHS of a sector that CHS cannot address. */
    beyond?: readonly [number, number, number]
  },
): void {
  const { status, type, first, sectors, beyond = [0xfe, 0xff, 0xff] } = fields
  const start = MBR_ENTRIES - MBR_TAIL_OFFSET + (number - 1) * MBR_ENTRY_SIZE
  const entry = tail.subarray(start, start + MBR_ENTRY_SIZE)
  entry.writeUInt8(status, 0)
  entry.set(chs(first) ?? beyond, 1)
  entry.writeUInt8(type, 4)
  entry.set(chs(first + sectors - 1) ?? beyond, 5)
  entry.writeUInt32LE(first, 8)
  entry.writeUInt32LE(sectors, 12)
}

/** Cylinder, head and sector under the usual geometry of 255 heads and 63 sectors; undefined beyond its reach. */
function chs(lba: number): Uint8Array | undefined {
  const cylinder = Math.floor(lba / (255 * 63))
  if (cylinder > 1023) return undefined
  const head = Math.floor(lba / 63) % 255
  const sector = (lba % 63) + 1
  return Uint8Array.of(head, sector | ((cylinder >> 2) & 0xc0), cylinder & 0xff)
}
