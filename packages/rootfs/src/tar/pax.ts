import { decodeName, encodeName } from '../name/bytes.js'

/** One record of a PAX extended header; the value is bytes, since extended attributes are. */
export type PaxRecord = readonly [keyword: string, value: Uint8Array]

/**
 * The records of a PAX extended header (POSIX.1-2017, pax, "pax Extended Header"), each
 *
 *     "%d %s=%s\n", length of the whole record in decimal, keyword, value
 *
 * Undefined when the bytes are not exactly such records.
 */
export function parsePaxRecords(bytes: Uint8Array): PaxRecord[] | undefined {
  const records: PaxRecord[] = []
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at)
    if (blank < 0 || blank - at > 8) return undefined
    const digits = Buffer.from(bytes.subarray(at, blank)).toString('latin1')
    const end = at + Number(digits)
    if (!/^[1-9]\d*$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a) return undefined
    const equals = bytes.indexOf(0x3d, blank)
    if (equals <= blank + 1 || equals >= end) return undefined
    records.push([decodeName(bytes.subarray(blank + 1, equals)), new Uint8Array(bytes.subarray(equals + 1, end - 1))])
    at = end
  }
  return records
}

export function encodePaxRecords(records: readonly PaxRecord[]): Uint8Array {
  return Buffer.concat(records.map(encodeRecord))
}

function encodeRecord([keyword, value]: PaxRecord): Uint8Array {
  const name = encodeName(keyword)
  const rest = name.length + value.length + 3
  // the length counts its own digits
  let length = rest + String(rest).length
  if (String(length).length !== String(rest).length) length = rest + String(length).length
  return Buffer.concat([Buffer.from(`${length} `, 'latin1'), name, Buffer.from('='), value, Buffer.from('\n')])
}
