import { extlinuxError } from './error.js'
import { REINSTALL, viewOf, type LoaderLayout } from './loader.js'
import { SECTOR } from './sectors.js'

/** Bytes of LBA 0 that are boot code; from 440 on are the disk signature and the partition table. */
export const BOOT_CODE = 440

/*
 * The boot sector of a partition (SYSLINUX: core/diskboot.inc). An ext file system leaves its first 1024 bytes to it.
 *
 *   0x000  jump, 'SYSLINUX'
 *   0x00B  FAT's parameters, of which on ext count:  0x00B u16 bytes in a sector    0x018 u16 sectors in a track
 *                                                    0x01A u16 heads                0x01C u32 LBA of the partition
 *   0x05A  code, which has the number of the loader's first sector in two places
 *   0x1FE  55 AA
 */
const PARAMETERS = 0x0b
const SECTOR_SIZE = 0x0b
const TRACK_SECTORS = 0x18
const HEADS = 0x1a
const HIDDEN_SECTORS = 0x1c
const CODE = 0x5a
const SIGNATURE = 0x1fe

/**
 * The first sector of the partition that holds the loader.
 *
 * @param image a boot sector that `syslinux --install` has written, to whichever file system
 * @param layout of the loader that belongs to it
 * @param firstSector of the loader, from the start of the partition
 * @param partitionLba where the partition begins on the disk
 * @throws C2M_EXTLINUX_BOOT_SECTOR
 */
export function bootSector(
  image: Uint8Array,
  { firstSector: [low, high] }: Pick<LoaderLayout, 'firstSector'>,
  firstSector: number,
  partitionLba: number,
): Uint8Array {
  if (image.length !== SECTOR) throw bootSectorError(`has ${image.length} bytes instead of ${SECTOR}`)
  if (viewOf(image).getUint16(SIGNATURE, false) !== 0x55aa) throw bootSectorError('does not end with 55 AA')
  if (!isCode(low) || !isCode(high) || Math.abs(low - high) < 4) {
    throw bootSectorError(`has no room for the loader's first sector at ${low} and ${high}`)
  }
  // not slice(): a Buffer's would share its memory
  const bytes = Uint8Array.from(image)
  const view = viewOf(bytes)
  bytes.fill(0, PARAMETERS, CODE)
  view.setUint16(SECTOR_SIZE, SECTOR, true)
  // the geometry that every BIOS gives to disks of today; it counts only where LBA is not known
  view.setUint16(TRACK_SECTORS, 63, true)
  view.setUint16(HEADS, 255, true)
  view.setUint32(HIDDEN_SECTORS, partitionLba, true)
  const sector = BigInt(firstSector)
  view.setUint32(low, Number(sector & 0xffffffffn), true)
  view.setUint32(high, Number(sector >> 32n), true)
  return bytes
}

/**
 * The boot code of LBA 0, which starts the active partition (mbr.bin) or the one with the legacy-BIOS-bootable attribute
 * (gptmbr.bin).
 *
 * @throws C2M_EXTLINUX_BOOT_CODE
 */
export function bootCode(image: Uint8Array, name: string): Uint8Array {
  if (image.length > 0 && image.length <= BOOT_CODE) return image
  throw extlinuxError(
    'C2M_EXTLINUX_BOOT_CODE',
    `${name} has ${image.length} bytes; boot code has 1 to ${BOOT_CODE}`,
    REINSTALL,
  )
}

function isCode(offset: number): boolean {
  return offset >= CODE && offset + 4 <= SIGNATURE
}

function bootSectorError(because: string): Error {
  return extlinuxError(
    'C2M_EXTLINUX_BOOT_SECTOR',
    `the boot sector of EXTLINUX cannot be used: it ${because}`,
    REINSTALL,
  )
}
