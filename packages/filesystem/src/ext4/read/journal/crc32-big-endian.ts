/** CRC-32 (polynomial 0x04c11db7, highest bit first, no inversion at the end) as the first checksums of jbd2 use it: crc32_be of Linux. */
export const CRC32_START = 0xffffffff

const POLYNOMIAL = 0x04c11db7

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1
  return crc
})

export function crc32BigEndian(crc: number, bytes: Uint8Array): number {
  let sum = crc | 0
  for (const byte of bytes) sum = (sum << 8) ^ TABLE[(sum >>> 24) ^ byte]!
  return sum >>> 0
}
