import { C2mError } from '@c2m/process'
import { FAT_COUNT, ROOT_CLUSTER, SECTOR, type Geometry } from './geometry.js'

export interface BootSectorOptions {
  /** As blkid prints it: 'XXXX-XXXX'. */
  readonly volumeId: string
  /** 11 bytes. */
  readonly label: Uint8Array
  /** Sectors of the disk before the partition. */
  readonly hiddenSectors: number
}

/** Where the copy of the boot sectors begins. */
export const BACKUP_SECTOR = 6
export const FSINFO_SECTOR = 1
/** Boot sector, FSInfo, and a third one with nothing but the signature. */
export const BOOT_SECTORS = 3

const MEDIA_FIXED = 0xf8
const EXTENDED_SIGNATURE = 0x29
const SECTORS_PER_TRACK = 63
const HEADS = 255
const FIRST_HARD_DISK = 0x80
/** int 18h (the BIOS goes on with the next device), then hlt for ever: this volume has no boot code. */
const NO_BOOT_CODE = Uint8Array.of(0xcd, 0x18, 0xf4, 0xeb, 0xfd)

/**
 * The three boot sectors ("Boot Sector and BPB", "FAT32 FSInfo Sector Structure"), little-endian:
 *
 *      0 jump, OEM name           36 u32 sectors of a FAT          64 drive number, 66 0x29
 *     11 u16 bytes per sector     40 flags, version                67 u32 volume id
 *     13 u8 sectors per cluster   44 u32 cluster of the root       71 label
 *     14 u16 reserved sectors     48 u16 FSInfo, u16 backup        82 "FAT32   "
 *     16 u8 FATs, 21 u8 media     24 geometry, 28 u32 hidden,     510 0x55 0xAA
 *                                 32 u32 sectors
 */
export function encodeBootSectors(
  geometry: Geometry,
  options: BootSectorOptions,
  use: { readonly usedClusters: number },
): Uint8Array {
  const sectors = Buffer.alloc(BOOT_SECTORS * SECTOR)
  encodeBootSector(sectors.subarray(0, SECTOR), geometry, options)
  encodeFsInfo(sectors.subarray(FSINFO_SECTOR * SECTOR, (FSINFO_SECTOR + 1) * SECTOR), geometry, use.usedClusters)
  for (let sector = 0; sector < BOOT_SECTORS; sector++) sectors.writeUInt16BE(0x55aa, sector * SECTOR + 510)
  return sectors
}

function encodeBootSector(sector: Buffer, geometry: Geometry, options: BootSectorOptions): void {
  sector.set([0xeb, 0x58, 0x90], 0)
  // the name that old drivers are known to accept
  sector.write('MSWIN4.1', 3, 'latin1')
  sector.writeUInt16LE(SECTOR, 11)
  sector.writeUInt8(geometry.sectorsPerCluster, 13)
  sector.writeUInt16LE(geometry.reservedSectors, 14)
  sector.writeUInt8(FAT_COUNT, 16)
  sector.writeUInt8(MEDIA_FIXED, 21)
  sector.writeUInt16LE(SECTORS_PER_TRACK, 24)
  sector.writeUInt16LE(HEADS, 26)
  sector.writeUInt32LE(options.hiddenSectors, 28)
  sector.writeUInt32LE(geometry.sectors, 32)
  sector.writeUInt32LE(geometry.fatSectors, 36)
  sector.writeUInt32LE(ROOT_CLUSTER, 44)
  sector.writeUInt16LE(FSINFO_SECTOR, 48)
  sector.writeUInt16LE(BACKUP_SECTOR, 50)
  sector.writeUInt8(FIRST_HARD_DISK, 64)
  sector.writeUInt8(EXTENDED_SIGNATURE, 66)
  sector.writeUInt32LE(parseVolumeId(options.volumeId), 67)
  sector.set(options.label, 71)
  sector.write('FAT32   ', 82, 'latin1')
  sector.set(NO_BOOT_CODE, 90)
}

function encodeFsInfo(sector: Buffer, geometry: Geometry, usedClusters: number): void {
  sector.writeUInt32LE(0x41615252, 0)
  sector.writeUInt32LE(0x61417272, 484)
  sector.writeUInt32LE(geometry.clusters - usedClusters, 488)
  // clusters are used from the first on, so the next free one follows
  sector.writeUInt32LE(ROOT_CLUSTER + usedClusters - 1, 492)
}

function parseVolumeId(text: string): number {
  if (/^[0-9A-F]{4}-[0-9A-F]{4}$/i.test(text)) return Number.parseInt(text.replace('-', ''), 16)
  throw new C2mError('C2M_FAT_VOLUME_ID', `'${text}' is no FAT volume id`, { hint: 'it looks like 12AB-34CD' })
}
