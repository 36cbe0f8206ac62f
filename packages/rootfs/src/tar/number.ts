/**
 * Numbers of tar headers: octal digits (POSIX.1-2017, pax, "ustar Interchange Format"), or GNU's base-256 (GNU tar
 * manual, "Basic Tar Format"): the first bit set, then a big-endian two's complement number in the remaining bits.
 */

const BLANK = 0x20
const DIGIT_0 = 0x30

/** Undefined when the field is no number, or one beyond 2^53. An empty field is 0. */
export function parseNumber(field: Uint8Array): number | undefined {
  return (field[0]! & 0x80) !== 0 ? parseBase256(field) : parseOctal(field)
}

function parseOctal(field: Uint8Array): number | undefined {
  let at = 0
  while (at < field.length && isBlank(field[at]!)) at++
  let value = 0
  for (; at < field.length && !isBlank(field[at]!); at++) {
    const digit = field[at]! - DIGIT_0
    if (digit < 0 || digit > 7) return undefined
    value = value * 8 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}

function isBlank(byte: number): boolean {
  return byte === 0 || byte === BLANK
}

function parseBase256(field: Uint8Array): number | undefined {
  const negative = (field[0]! & 0x40) !== 0
  // the marker bit becomes a copy of the sign bit
  let value = BigInt(negative ? field[0]! - 0x100 : field[0]! & 0x7f)
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte)
  const result = Number(value)
  return Number.isSafeInteger(result) ? result : undefined
}

/** Whether a number fits an octal field of `length` bytes, one of which ends it. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1)
}

/** Zero-padded octal digits and a NUL. */
export function formatOctal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`
}
