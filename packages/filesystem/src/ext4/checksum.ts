import { CRC16_START, crc16 } from './crc16.js'
import { CRC32C_START, crc32c, crc32cOfNumber } from './crc32c.js'

/** Which checksums a file system carries, and where they start. */
export interface ChecksumRules {
  /** metadata_csum: every structure; uninit_bg: group descriptors only, by CRC-16. */
  readonly kind: 'crc32c' | 'crc16' | 'none'
  /** The crc32c seed: of the UUID, or s_checksum_seed with metadata_csum_seed. */
  readonly seed: number
  readonly uuid: Uint8Array
}

export function checksumSeed(uuid: Uint8Array): number {
  return crc32c(CRC32C_START, uuid)
}

/** What every checksum of an inode, its extents and its directory blocks starts with. */
export function inodeSeed(seed: number, inode: number, generation: number): number {
  return crc32cOfNumber(crc32cOfNumber(seed, inode), generation)
}

/** bg_checksum; `descriptor` has zero there. Null without descriptor checksums. */
export function descriptorChecksum(rules: ChecksumRules, group: number, descriptor: Uint8Array): number {
  const CHECKSUM_OFFSET = 0x1e
  if (rules.kind === 'none') return 0
  if (rules.kind === 'crc32c') return crc32c(crc32cOfNumber(rules.seed, group), descriptor) & 0xffff
  const number = Uint8Array.of(group, group >>> 8, group >>> 16, group >>> 24)
  const head = crc16(crc16(crc16(CRC16_START, rules.uuid), number), descriptor.subarray(0, CHECKSUM_OFFSET))
  return crc16(head, descriptor.subarray(CHECKSUM_OFFSET + 2))
}
