import { decodeName } from '../name/bytes.js'
import { tarFault } from './fault.js'
import { BLOCK, isZeroBlock, numberField, padding, parseHeader, type Header } from './header.js'
import type { StoredMember } from './member.js'
import { interpretMember, mergeRecords, paxText, type PaxValues } from './interpretation.js'
import { parsePaxRecords, type PaxRecord } from './pax.js'
import type { ByteSource } from './source.js'
import {
  MapReader,
  checkCount,
  parseDecimal,
  parseMapText,
  parseOldGnuRealSize,
  parseOldGnuRuns,
  sparseRuns,
} from './sparse.js'

/** An extension header is read into memory; the largest real ones hold a few attributes of at most 64 KiB each. */
const MAX_EXTENSION = 1024 * 1024
/** Global records hold for each member that follows, and are looked at for each; real archives have one or two. */
const MAX_GLOBALS = 256

export interface TarReadOptions {
  /** Takes one sentence for each thing that cannot be kept, such as an ACL that has names only. */
  readonly warn?: (message: string) => void
}

/** What extension headers say about the next member. */
interface Extensions {
  /** Where the first of them begins. */
  offset?: number
  longName?: string
  longLink?: string
  records: PaxRecord[]
}

interface HoleMap {
  /** Offset and length by turns. */
  readonly numbers: readonly number[]
  /** Of the file, holes included. */
  readonly size: number
  /** Bytes of the body that the map itself takes. */
  readonly inBody: number
}

/**
 * The members of an archive: v7, ustar, PAX and GNU headers. The caller may read a member's body from the source between
 * two steps; what it leaves is skipped. Ends at two zero blocks or, as GNU tar does, at the end of the input.
 * @throws C2M_TAR_… for whatever cannot be a whole, sound archive
 */
export async function* readMembers(source: ByteSource, options: TarReadOptions = {}): AsyncGenerator<StoredMember> {
  const globals = new Map<string, Uint8Array>()
  let extensions: Extensions = { records: [] }
  for (;;) {
    const offset = source.position
    const block = await source.take(BLOCK)
    if (block.length === 0 || (isZeroBlock(block) && (await endsHere(source)))) {
      if (extensions.offset !== undefined) throw tarFault('C2M_TAR_TRUNCATED', 'ends after an extension header', offset)
      return
    }
    if (block.length < BLOCK) throw truncated(source.position)
    // the block is only lent, and extension blocks may have to be read before it has been interpreted
    const header = parseHeader(Buffer.from(block), offset)
    if (await readExtension(source, header, extensions, globals)) {
      extensions.offset ??= offset
      continue
    }
    const member = await readMember(source, header, extensions, globals, options)
    extensions = { records: [] }
    const end = member.bodyOffset + member.storedSize
    if (isKept(header.type)) yield member
    await source.seek(end)
    if (source.position < end) throw truncated(source.position)
    await source.seek(end + padding(end))
  }
}

/** A volume label ('V') is no file; GNU tar shows it and goes on. */
function isKept(type: string): boolean {
  return type !== 'V'
}

/** After one zero block: a second one, or nothing, ends the archive. */
async function endsHere(source: ByteSource): Promise<boolean> {
  const next = await source.take(BLOCK)
  if (next.length === 0 || (next.length === BLOCK && isZeroBlock(next))) return true
  throw tarFault('C2M_TAR_HEADER', 'goes on after an empty block', source.position - next.length)
}

/** Reads a header that speaks of later ones: PAX 'x' and 'g' (Solaris: 'X'), GNU's long name 'L' and long link 'K'. */
async function readExtension(
  source: ByteSource,
  header: Header,
  extensions: Extensions,
  globals: Map<string, Uint8Array>,
): Promise<boolean> {
  if (!'xXgLK'.includes(header.type)) return false
  const body = await readExtensionBody(source, header)
  if (header.type === 'L') extensions.longName = longName(body, header)
  else if (header.type === 'K') extensions.longLink = longName(body, header)
  else {
    const records = parsePaxRecords(body)
    if (records === undefined) throw tarFault('C2M_TAR_PAX', 'has a malformed PAX header', header.offset)
    if (header.type === 'g') addGlobals(globals, records, header)
    else extensions.records = records
  }
  return true
}

async function readExtensionBody(source: ByteSource, header: Header): Promise<Uint8Array> {
  const size = numberField(header, 'size')
  if (size < 0 || size > MAX_EXTENSION) {
    throw tarFault(
      'C2M_TAR_PAX',
      `has an extension header of ${size} bytes, more than ${MAX_EXTENSION},`,
      header.offset,
    )
  }
  const body = Buffer.from(await source.take(size))
  if (body.length < size) throw truncated(source.position)
  await source.seek(source.position + padding(size))
  return body
}

function longName(body: Uint8Array, header: Header): string {
  const end = body.indexOf(0)
  if (end >= 0 && body.subarray(end).some((byte) => byte !== 0)) {
    throw tarFault('C2M_TAR_NAME', 'has a long name that holds a NUL byte', header.offset)
  }
  return decodeName(end < 0 ? body : body.subarray(0, end))
}

function addGlobals(globals: Map<string, Uint8Array>, records: readonly PaxRecord[], header: Header): void {
  for (const [keyword, value] of records) globals.set(keyword, value)
  if (globals.size > MAX_GLOBALS) {
    throw tarFault('C2M_TAR_PAX', `has more than ${MAX_GLOBALS} global records`, header.offset)
  }
}

async function readMember(
  source: ByteSource,
  header: Header,
  extensions: Extensions,
  globals: ReadonlyMap<string, Uint8Array>,
  options: TarReadOptions,
): Promise<StoredMember> {
  const records = mergeRecords(globals, extensions.records)
  const entry = interpretMember(header, records, extensions, options.warn ?? (() => undefined))
  entry.headerOffset = extensions.offset ?? header.offset
  const map = entry.type === 'file' ? await readHoleMap(source, header, records, extensions.records) : undefined
  entry.bodyOffset = source.position
  if (map !== undefined) {
    // in PAX format 1.0 the map is part of the body
    entry.storedSize -= map.inBody
    entry.size = map.size
    entry.sparse = sparseRuns(map.numbers, map.size, entry.storedSize, header.offset)
  }
  if (!Number.isSafeInteger(entry.bodyOffset + entry.storedSize + BLOCK)) {
    throw tarFault('C2M_TAR_NUMBER', `has a member of ${entry.storedSize} bytes, which cannot be,`, header.offset)
  }
  return entry
}

/** The map of a file with holes, in whichever of the four formats it is written; undefined without one. */
async function readHoleMap(
  source: ByteSource,
  header: Header,
  records: PaxValues,
  own: readonly PaxRecord[],
): Promise<HoleMap | undefined> {
  if (header.type === 'S') return readOldGnuMap(source, header)
  const real = paxText(records, 'GNU.sparse.realsize') ?? paxText(records, 'GNU.sparse.size')
  if (real === undefined) return undefined
  const size = parseDecimal(real, header.offset)
  if (paxText(records, 'GNU.sparse.major') === '1') return { size, ...(await readMapFromBody(source, header)) }
  const text = paxText(records, 'GNU.sparse.map')
  if (text !== undefined) return { size, inBody: 0, numbers: parseMapText(text, header.offset) }
  const pairs = own.filter(([keyword]) => keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes')
  const numbers = pairs.map(([, value]) => parseDecimal(Buffer.from(value).toString('latin1'), header.offset))
  return { size, inBody: 0, numbers }
}

async function readOldGnuMap(source: ByteSource, header: Header): Promise<HoleMap> {
  const size = parseOldGnuRealSize(header.block, header.offset)
  const numbers: number[] = []
  let part = parseOldGnuRuns(header.block, 'header', header.offset)
  numbers.push(...part.numbers)
  while (part.more) {
    const block = await takeBlock(source)
    part = parseOldGnuRuns(block, 'extension', header.offset)
    numbers.push(...part.numbers)
    checkCount(numbers.length / 2, header.offset)
  }
  return { size, inBody: 0, numbers }
}

async function readMapFromBody(source: ByteSource, header: Header): Promise<{ numbers: number[]; inBody: number }> {
  const map = new MapReader(header.offset)
  const start = source.position
  while (!map.take(await takeBlock(source))) continue
  return { numbers: map.numbers, inBody: source.position - start }
}

async function takeBlock(source: ByteSource): Promise<Uint8Array> {
  const block = await source.take(BLOCK)
  if (block.length < BLOCK) throw truncated(source.position)
  return block
}

function truncated(offset: number): Error {
  return tarFault('C2M_TAR_TRUNCATED', 'ends too early,', offset)
}
