/**
 * GUIDs as GPT stores them (UEFI Specification 2.10, appendix A): the first three groups little-endian, the rest as
 * written.
 *
 *     text   C12A7328-F81F-11D2-BA4B-00A0C93EC93B
 *     bytes  28 73 2A C1  1F F8  D2 11  BA 4B  00 A0 C9 3E C9 3B
 */
const FORM = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function guidToBytes(guid: string): Uint8Array {
  if (!FORM.test(guid)) throw new RangeError(`not a GUID: ${guid}`)
  return swapGroups(Buffer.from(guid.replaceAll('-', ''), 'hex'))
}

/** Lower case, as blkid prints PARTUUIDs. */
export function guidFromBytes(bytes: Uint8Array): string {
  return formatUuid(swapGroups(bytes))
}

/** A random (version 4, RFC 9562 section 5.4) UUID from 16 random bytes. */
export function uuidFromRandom(random: Uint8Array): string {
  const bytes = Buffer.from(random.subarray(0, 16))
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x40
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80
  return formatUuid(bytes)
}

/** 16 bytes as 8-4-4-4-12 hexadecimal digits (RFC 9562 section 4). */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

function swapGroups(bytes: Uint8Array): Buffer {
  const swapped = Buffer.from(bytes.subarray(0, 16))
  swapped.subarray(0, 4).swap32()
  swapped.subarray(4, 6).swap16()
  swapped.subarray(6, 8).swap16()
  return swapped
}
