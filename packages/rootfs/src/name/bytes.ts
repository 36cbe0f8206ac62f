import { C2mError } from '@c2m/process'

const ESCAPE = 0xdc00
const REPLACEMENT = '\ufffd'

/**
 * A name's bytes as a string: UTF-8, and each byte that is not part of valid UTF-8 as the lone surrogate U+DC00 + byte
 * (U+DC80 to U+DCFF; Python's PEP 383 "surrogateescape"), so that `encodeName` gives the same bytes back.
 */
export function decodeName(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  return text.includes(REPLACEMENT) ? decodeEscaping(buffer) : text
}

function decodeEscaping(buffer: Buffer): string {
  let text = ''
  for (let at = 0; at < buffer.length;) {
    const length = sequenceLength(buffer, at)
    text += length === 0 ? String.fromCharCode(ESCAPE + buffer[at]!) : buffer.toString('utf8', at, at + length)
    at += Math.max(length, 1)
  }
  return text
}

/** Bytes of the well-formed UTF-8 sequence at `at`, 0 when there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  const length = lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) === 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
  if (length === 0 || at + length > bytes.length) return 0
  const second = bytes[at + 1]!
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let next = at + 2; next < at + length; next++) {
    if ((bytes[next]! & 0xc0) !== 0x80) return 0
  }
  return length
}

/**
 * The bytes that `decodeName` read.
 * @throws C2M_NAME_INVALID when the string holds a lone surrogate that stands for no byte
 */
export function encodeName(name: string): Uint8Array {
  if (!/[\ud800-\udfff]/.test(name)) return Buffer.from(name, 'utf8')
  const parts: Uint8Array[] = []
  for (const character of name) {
    const code = character.codePointAt(0)!
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(Uint8Array.of(code - ESCAPE))
    else if (code >= 0xd800 && code <= 0xdfff) throw invalidName(name)
    else parts.push(Buffer.from(character, 'utf8'))
  }
  return Buffer.concat(parts)
}

function invalidName(name: string): C2mError {
  return new C2mError('C2M_NAME_INVALID', `the name ${JSON.stringify(name)} cannot be written as bytes`, {
    hint: 'only U+DC80 to U+DCFF may stand alone; they mean bytes that are not UTF-8',
  })
}

/** Bytes that a name takes, found without encoding it when it is ASCII or short. */
export function nameLength(name: string): number {
  return /^[\0-\x7f]*$/.test(name) ? name.length : encodeName(name).length
}
