import type { PartitionRole, PartitionTableType } from '@c2m/plugin-api'

/** Reads exactly `length` bytes of a disk at `offset`; never asked beyond the disk's end. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>

/** A partition as a table on a disk describes it. */
export interface FoundPartition {
  /** As the kernel counts: GPT by entry from 1; MBR primaries 1 to 4, logical ones from 5. */
  readonly number: number
  /** Bytes from the start of the disk. */
  readonly offset: number
  /** Bytes; cut where the disk ends. */
  readonly size: number
  /** GPT type GUID in lower case, or MBR type byte as two hex digits. */
  readonly type: string
  /** What the type says the partition is for, where it says so. */
  readonly role?: PartitionRole
  /** PARTUUID as blkid prints it. */
  readonly partuuid: string
  /** GPT partition name; may hold any character. */
  readonly name?: string
  /** MBR active flag, or GPT legacy-BIOS-bootable attribute. */
  readonly bootable: boolean
}

/** A partition table as found on a disk. */
export interface FoundTable {
  readonly table: PartitionTableType
  /** Disk GUID, or MBR disk signature as 8 hex digits. */
  readonly id: string
  /** Bytes of a sector as the table counts them: 512 or 4096. */
  readonly sectorSize: number
  /** Ordered by number. */
  readonly partitions: readonly FoundPartition[]
  /** What is wrong with the table but does not keep it from being read; sentences for the user. */
  readonly problems: readonly string[]
}

/** An extent in sectors, checked against the disk. */
export interface Place {
  readonly first: number
  readonly sectors: number
}

/**
 * The part of a partition that the disk has; undefined, with a problem noted, when it has none of it.
 * @param diskSectors sectors of the disk
 */
export function clip(number: number, place: Place, diskSectors: number, problems: string[]): Place | undefined {
  const end = place.first + place.sectors
  if (!Number.isSafeInteger(end) || place.sectors <= 0 || place.first <= 0) {
    problems.push(`partition ${number} has an impossible extent`)
    return undefined
  }
  if (place.first >= diskSectors) {
    problems.push(`partition ${number} begins behind the end of the disk`)
    return undefined
  }
  if (end <= diskSectors) return place
  problems.push(`partition ${number} reaches ${end - diskSectors} sectors beyond the end of the disk`)
  return { first: place.first, sectors: diskSectors - place.first }
}

export function noteOverlaps(partitions: readonly FoundPartition[], problems: string[]): void {
  const byOffset = [...partitions].sort((a, b) => a.offset - b.offset)
  byOffset.forEach((partition, index) => {
    const next = byOffset[index + 1]
    if (next === undefined || partition.offset + partition.size <= next.offset) return
    problems.push(`partitions ${partition.number} and ${next.number} overlap`)
  })
}
