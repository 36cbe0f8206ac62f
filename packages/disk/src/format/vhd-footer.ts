/**
 * VHD footer (Microsoft, Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format"), big-endian, at
 * the end of the file; unless the disk is fixed, also at its beginning:
 *
 *      0 "conectix"           60 u32 disk type
 *     24 u32 creation time    64 u32 ones' complement of the sum of all other bytes
 *     48 u64 current size     68 UUID (16)
 */
export const VHD_FOOTER_SIZE = 512
export const VHD_TIME_OFFSET = 24
export const VHD_TYPE_OFFSET = 60
export const VHD_CHECKSUM_OFFSET = 64
export const VHD_UUID_OFFSET = 68

/** True when the bytes are a footer: its checksum tells it from chance. */
export function isVhdFooter(bytes: Buffer): boolean {
  if (bytes.length < VHD_FOOTER_SIZE || bytes.toString('latin1', 0, 8) !== 'conectix') return false
  return bytes.readUInt32BE(VHD_CHECKSUM_OFFSET) === vhdChecksum(bytes)
}

export function vhdChecksum(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < VHD_FOOTER_SIZE; at++) {
    if (at < VHD_CHECKSUM_OFFSET || at >= VHD_UUID_OFFSET) sum += bytes.readUInt8(at)
  }
  return ~sum >>> 0
}
