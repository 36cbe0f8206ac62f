/**
 * GUID Partition Table (UEFI Specification 2.10, section 5.3).
 *
 *     LBA 0                 protective MBR
 *     LBA 1                 header
 *     LBA 2 – 33            128 entries of 128 bytes
 *     LBA 34 – n−34         partitions
 *     LBA n−33 – n−2        the entries again
 *     LBA n−1               the header again, with the two addresses exchanged
 *
 * Header, little-endian:
 *
 *      0 "EFI PART"           40 u64 first usable LBA
 *      8 u32 revision 1.0     48 u64 last usable LBA
 *     12 u32 header size 92   56 disk GUID
 *     16 u32 CRC of header    72 u64 LBA of the entries
 *     24 u64 its own LBA      80 u32 number of entries
 *     32 u64 the other's LBA  84 u32 bytes of an entry
 *                             88 u32 CRC of the entries
 *
 * Entry: 0 type GUID, 16 partition GUID, 32 u64 first LBA, 40 u64 last LBA, 48 u64 attributes, 56 name (UTF-16LE, 72 bytes)
 */
export const GPT_SIGNATURE = 'EFI PART'
export const GPT_REVISION = 0x00010000
export const HEADER_SIZE = 92
export const ENTRY_SIZE = 128
export const ENTRY_COUNT = 128
/** Entries plus header. */
export const BACKUP_SECTORS = 33
/** Attribute bit 2: legacy BIOS bootable (section 5.3.3); boot code like gptmbr.bin looks for it. */
export const LEGACY_BOOTABLE = 0b100n
export const NAME_UNITS = 36
