/**
 * CRC-16 (polynomial 0x8005, reflected) of group descriptors in file systems with uninit_bg. No inversion.
 * Kernel documentation: filesystems/ext4, "Checksums" and "Block Group Descriptors" (bg_checksum).
 */
export const CRC16_START = 0xffff

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  return crc
})

export function crc16(crc: number, bytes: Uint8Array): number {
  let sum = crc
  for (const byte of bytes) sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 0xff]!
  return sum
}
