/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) as ext4 uses it: the register goes in and comes out as it is, without the
 * usual inversion at both ends, so that sums can be continued. Start with CRC32C_START.
 * Kernel documentation: filesystems/ext4, "Checksums".
 */
export const CRC32C_START = 0xffffffff

const POLYNOMIAL = 0x82f63b78 // reflected
const SLICES = 8

/** Slicing by 8: table k holds the effect of a byte that is followed by k zero bytes. */
const TABLES = makeTables()

function makeTables(): readonly Int32Array[] {
  const first = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    first[byte] = crc
  }
  const tables = [first]
  for (let slice = 1; slice < SLICES; slice++) {
    const before = tables[slice - 1]!
    tables.push(before.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!))
  }
  return tables
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** Continues `crc` over bytes[start, end). The result is unsigned. */
export function crc32c(crc: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let sum = crc | 0
  let at = start
  for (; at + SLICES <= end; at += SLICES) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    sum =
      T7[sum & 0xff]! ^
      T6[(sum >>> 8) & 0xff]! ^
      T5[(sum >>> 16) & 0xff]! ^
      T4[sum >>> 24]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ T0[(sum ^ bytes[at]!) & 0xff]!
  return sum >>> 0
}

/** Continues `crc` over a 32-bit little-endian number. */
export function crc32cOfNumber(crc: number, value: number): number {
  let sum = crc ^ value
  sum = T3[sum & 0xff]! ^ T2[(sum >>> 8) & 0xff]! ^ T1[(sum >>> 16) & 0xff]! ^ T0[sum >>> 24]!
  return sum >>> 0
}
