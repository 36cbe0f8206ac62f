import { grubError } from '@c2m/grub'

export const SECTOR = 512

/** Bytes of LBA 0 that are boot code; from 440 on are the disk signature and the partition table. */
export const BOOT_CODE = 440

/** What GRUB can load below its memory limit; grub-mkimage refuses more (grub-core/include/grub/offsets.h). */
export const MAX_CORE = 0x78000

/*
 * boot.img, the first sector (GRUB: include/grub/i386/pc/boot.h, grub-core/boot/i386/pc/boot.S)
 *
 *   0x000  jump, room for a FAT's parameters
 *   0x05A  u16  segment-less address where the first sector of core.img is loaded: 0x8000
 *   0x05C  u64  LBA of that sector
 *   0x064  u8   BIOS drive, 0xFF: the one the BIOS passes in DL
 *   0x066  2 B  jump over a check of DL (EB 05); on a hard disk two NOPs, so that a BIOS that passes nonsense still boots
 *   0x1B8       end of boot code (440)
 *   0x1FE  55 AA
 */
const KERNEL_ADDRESS = 0x5a
const KERNEL_SECTOR = 0x5c
const BOOT_DRIVE = 0x64
const DRIVE_CHECK = 0x66
const NOP = 0x90

/*
 * core.img begins with diskboot.img (include/grub/i386/pc/boot.h: GRUB_BOOT_MACHINE_LIST_SIZE), one sector whose last
 * twelve bytes are the first entry of a block list that grows downwards and ends with a zero length:
 *
 *   0x1E8  the next entry, all zero: core.img is contiguous
 *   0x1F4  u64  LBA of the second sector of core.img
 *   0x1FC  u16  number of sectors from there on
 *   0x1FE  u16  segment where they are loaded: 0x0820
 */
const SECOND_ENTRY_LENGTH = 0x1f0
const LIST_START = 0x1f4
const LIST_LENGTH = 0x1fc
const LIST_SEGMENT = 0x1fe

/**
 * The boot code of LBA 0.
 *
 * @param image boot.img
 * @param coreLba where core.img begins on the disk
 * @throws C2M_GRUB_BOOT_IMAGE
 */
export function bootCode(image: Uint8Array, coreLba: number): Uint8Array {
  const view = viewOf(image)
  if (image.length !== SECTOR) throw bootImageError(`has ${image.length} bytes instead of ${SECTOR}`)
  if (view.getUint16(0x1fe, false) !== 0x55aa) throw bootImageError('does not end with 55 AA')
  if (view.getUint16(KERNEL_ADDRESS, true) !== 0x8000) throw bootImageError('loads to an unknown address')
  if (view.getUint8(BOOT_DRIVE) !== 0xff) throw bootImageError('names a drive')
  const check = view.getUint16(DRIVE_CHECK, false)
  if (check >> 8 !== 0xeb && check !== 0x9090) throw bootImageError('has no drive check where it is expected')
  requireLba(coreLba)

  // not slice(): a Buffer's would share its memory
  const code = Uint8Array.from(image.subarray(0, BOOT_CODE))
  viewOf(code).setBigUint64(KERNEL_SECTOR, BigInt(coreLba), true)
  code.fill(NOP, DRIVE_CHECK, DRIVE_CHECK + 2)
  return code
}

/**
 * core.img with its block list, padded to whole sectors.
 *
 * @param image what grub-mkimage made
 * @param coreLba where it begins on the disk
 * @param room bytes that are free there
 * @throws C2M_GRUB_CORE_IMAGE, C2M_GRUB_CORE_SIZE
 */
export function coreImage(image: Uint8Array, coreLba: number, room: number): Uint8Array {
  if (image.length <= SECTOR) throw coreImageError(`has only ${image.length} bytes`)
  const sectors = Math.ceil(image.length / SECTOR)
  if (sectors * SECTOR > room) {
    throw grubError(
      'C2M_GRUB_CORE_SIZE',
      `GRUB's core image has ${image.length} bytes, but only ${room} are free for it at sector ${coreLba}`,
      'give the BIOS boot partition 1 MiB (GPT), or let the first partition begin at sector 2048 (MBR)',
    )
  }
  if (image.length > MAX_CORE)
    throw coreImageError(`has ${image.length} bytes, more than the ${MAX_CORE} that GRUB can load`)
  requireLba(coreLba)

  const bytes = new Uint8Array(sectors * SECTOR)
  bytes.set(image)
  const view = viewOf(bytes)
  const listed = view.getUint16(LIST_LENGTH, true)
  const segment = view.getUint16(LIST_SEGMENT, true)
  if (segment !== 0x0820) throw coreImageError(`loads to segment 0x${segment.toString(16)} instead of 0x820`)
  if (view.getUint16(SECOND_ENTRY_LENGTH, true) !== 0) throw coreImageError('has a block list of more than one entry')
  if (listed !== sectors - 1) throw coreImageError(`lists ${listed} sectors instead of ${sectors - 1}`)
  view.setBigUint64(LIST_START, BigInt(coreLba + 1), true)
  return bytes
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function requireLba(lba: number): void {
  if (Number.isSafeInteger(lba) && lba >= 1) return
  throw coreImageError(`cannot begin at sector ${lba}`)
}

function bootImageError(because: string): Error {
  return grubError('C2M_GRUB_BOOT_IMAGE', `the guest's boot.img is not GRUB's: it ${because}`, REFRESH)
}

function coreImageError(because: string): Error {
  return grubError('C2M_GRUB_CORE_IMAGE', `the guest's core.img cannot be used: it ${because}`, REFRESH)
}

const REFRESH = "reinstall the guest's GRUB packages: run again with --refresh"
