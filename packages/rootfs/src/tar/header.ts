import { decodeName } from '../name/bytes.js'
import { tarFault } from './fault.js'
import { formatOctal, parseNumber } from './number.js'

export const BLOCK = 512

/**
 * A header block (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"):
 *
 *       0       100   108   116   124     136     148      156  157       257     263  265    297    329  337  345     500
 *      ┌───────┬─────┬─────┬─────┬───────┬───────┬────────┬────┬─────────┬───────┬────┬──────┬──────┬────┬────┬───────┬───┐
 *      │ name  │mode │ uid │ gid │ size  │ mtime │checksum│type│ linkname│ magic │vers│ uname│ gname│maj │min │ prefix│ 0 │
 *      └───────┴─────┴─────┴─────┴───────┴───────┴────────┴────┴─────────┴───────┴────┴──────┴──────┴────┴────┴───────┴───┘
 *
 * `magic` is 'ustar\0' in POSIX archives, 'ustar ' in GNU's (whose prefix field holds other things), empty in v7's.
 */
const FIELDS = {
  name: [0, 100],
  mode: [100, 108],
  uid: [108, 116],
  gid: [116, 124],
  size: [124, 136],
  mtime: [136, 148],
  checksum: [148, 156],
  linkname: [157, 257],
  major: [329, 337],
  minor: [337, 345],
  prefix: [345, 500],
} as const

const TYPE = 156
const MAGIC = 257
/** star's extended header: 'tar\0' at the end of the block, and a prefix of 131 bytes only. */
const STAR_MAGIC = 508
const STAR_PREFIX = [345, 476] as const

type NumberField = 'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'major' | 'minor'

/** A header block whose checksum is right; fields are decoded when asked for, since PAX records override most. */
export interface Header {
  readonly offset: number
  readonly block: Uint8Array
  readonly type: string
  readonly format: 'v7' | 'ustar' | 'gnu'
}

/** @throws C2M_TAR_HEADER when the checksum does not match */
export function parseHeader(block: Uint8Array, offset: number): Header {
  if (!checksumMatches(block)) throw tarFault('C2M_TAR_HEADER', 'has no valid header', offset)
  return { offset, block, type: String.fromCharCode(block[TYPE]!), format: formatOf(block) }
}

function formatOf(block: Uint8Array): Header['format'] {
  const magic = text(block, [MAGIC, MAGIC + 6])
  if (magic === 'ustar\0') return 'ustar'
  return magic === 'ustar ' ? 'gnu' : 'v7'
}

export function isZeroBlock(block: Uint8Array): boolean {
  for (let at = 0; at < BLOCK; at++) {
    if (block[at] !== 0) return false
  }
  return true
}

/** Whether a block of 512 bytes is a tar header, whatever the name in it is. */
export function isTarHeader(block: Uint8Array): boolean {
  return block.length >= BLOCK && checksumMatches(block)
}

/** The sum of all bytes, the checksum's own taken as blanks; some old writers summed signed bytes. */
function checksumMatches(block: Uint8Array): boolean {
  const [from, to] = FIELDS.checksum
  const stored = parseNumber(block.subarray(from, to))
  let unsigned = 0
  let above127 = 0
  for (let at = 0; at < BLOCK; at++) {
    const byte = at >= from && at < to ? 0x20 : block[at]!
    unsigned += byte
    above127 += byte >> 7
  }
  return stored === unsigned || stored === unsigned - 256 * above127
}

/** @throws C2M_TAR_NUMBER when the field is no number */
export function numberField(header: Header, field: NumberField): number {
  const [from, to] = FIELDS[field]
  const value = parseNumber(header.block.subarray(from, to))
  if (value !== undefined) return value
  const shown = JSON.stringify(text(header.block, FIELDS[field]))
  throw tarFault('C2M_TAR_NUMBER', `has a header whose ${field} ${shown} is no number`, header.offset)
}

export function nameField(header: Header): string {
  const name = nameUpToNul(header.block, FIELDS.name)
  if (header.format !== 'ustar') return name
  const isStar = text(header.block, [STAR_MAGIC, BLOCK]) === 'tar\0'
  const prefix = nameUpToNul(header.block, isStar ? STAR_PREFIX : FIELDS.prefix)
  return prefix === '' ? name : `${prefix}/${name}`
}

export function linkField(header: Header): string {
  return nameUpToNul(header.block, FIELDS.linkname)
}

function nameUpToNul(block: Uint8Array, [from, to]: readonly [number, number]): string {
  const end = block.indexOf(0, from)
  return end === from ? '' : decodeName(block.subarray(from, end < 0 || end > to ? to : end))
}

function text(block: Uint8Array, [from, to]: readonly [number, number]): string {
  return Buffer.from(block.buffer, block.byteOffset + from, to - from).toString('latin1')
}

export interface HeaderFields {
  readonly type: string
  /** ASCII, at most 100 bytes, as is linkname. */
  readonly name: string
  readonly linkname?: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly major?: number
  readonly minor?: number
}

/** A POSIX ustar header; numbers must fit their fields (see fitsOctal). */
export function encodeHeader(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const put = (value: string, [from]: readonly [number, number]): number => block.write(value, from, 'latin1')
  const octal = (value: number, field: readonly [number, number]): number =>
    put(formatOctal(value, field[1] - field[0]), field)
  put(fields.name, FIELDS.name)
  octal(fields.mode, FIELDS.mode)
  octal(fields.uid, FIELDS.uid)
  octal(fields.gid, FIELDS.gid)
  octal(fields.size, FIELDS.size)
  octal(fields.mtime, FIELDS.mtime)
  put(fields.type, [TYPE, TYPE + 1])
  put(fields.linkname ?? '', FIELDS.linkname)
  put('ustar\x0000', [MAGIC, MAGIC + 8])
  octal(fields.major ?? 0, FIELDS.major)
  octal(fields.minor ?? 0, FIELDS.minor)
  block.fill(0x20, FIELDS.checksum[0], FIELDS.checksum[1])
  let sum = 0
  for (const byte of block) sum += byte
  put(`${formatOctal(sum, 7)} `, FIELDS.checksum)
  return block
}

/** Bytes up to the next block boundary. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}
