import type { Timestamp } from '@c2m/plugin-api'
import { decodeName, nameLength } from '../name/bytes.js'
import { modeWithAcl } from './acl.js'
import { tarFault } from './fault.js'
import { linkField, nameField, numberField, type Header } from './header.js'
import { NO_XATTRS, type StoredMember, type TarEntryType } from './member.js'
import type { PaxRecord } from './pax.js'
import { parsePaxTime } from './timestamp.js'
import { xattrsOf } from './xattr.js'

export type PaxValues = ReadonlyMap<string, Uint8Array>

const NO_VALUES: PaxValues = new Map()
const MAX_ID = 0xffffffff
/** PATH_MAX less its NUL: no file system of Linux stores a longer target. */
const MAX_TARGET = 4095

/**
 * What a member's own records and the global ones say together. An empty value takes a global one back (POSIX.1-2017,
 * pax), except in extended attributes, which may be empty.
 */
export function mergeRecords(globals: PaxValues, own: readonly PaxRecord[]): PaxValues {
  if (own.length === 0) return globals.size === 0 ? NO_VALUES : globals
  const merged = new Map(globals)
  for (const [keyword, value] of own) {
    if (value.length === 0 && !keyword.includes('.xattr.')) merged.delete(keyword)
    else merged.set(keyword, value)
  }
  return merged
}

export function paxText(records: PaxValues, keyword: string): string | undefined {
  const value = records.get(keyword)
  return value === undefined ? undefined : decodeName(value)
}

/** A member whose place in the archive is still to be filled in. */
export type Draft = { -readonly [Key in keyof StoredMember]: StoredMember[Key] }

/** @throws C2M_TAR_… for numbers, names and types that no file can have */
export function interpretMember(
  header: Header,
  records: PaxValues,
  long: { readonly longName?: string; readonly longLink?: string },
  warn: (message: string) => void,
): Draft {
  const fault = (code: string, what: string): Error => tarFault(code, what, header.offset)
  const path = paxText(records, 'GNU.sparse.name') ?? paxText(records, 'path') ?? long.longName ?? nameField(header)
  if (path.includes('\0')) throw fault('C2M_TAR_NAME', `has a name with a NUL byte, ${JSON.stringify(path)},`)
  const type = typeOf(header, path)
  const stored = paxNumber(records, 'size', header) ?? numberField(header, 'size')
  if (stored < 0) throw fault('C2M_TAR_NUMBER', `has a member of ${stored} bytes`)
  const storedSize = hasBody(header.type) ? stored : 0
  const entry: Draft = {
    path,
    type,
    mode: numberField(header, 'mode') & 0o7777,
    uid: owner(records, 'uid', header),
    gid: owner(records, 'gid', header),
    mtime: modificationTime(records, header),
    size: type === 'file' ? storedSize : 0,
    xattrs: records.size === 0 ? NO_XATTRS : xattrsOf(records, (what) => warn(`${path}: ${what}`)),
    linkTarget: undefined,
    device: undefined,
    headerOffset: header.offset,
    bodyOffset: 0,
    storedSize,
    sparse: undefined,
  }
  const acl = records.has('SCHILY.acl.access') ? entry.xattrs.get('system.posix_acl_access') : undefined
  if (acl !== undefined) entry.mode = modeWithAcl(entry.mode, acl)
  if (type === 'symlink' || type === 'hardlink') {
    const target = paxText(records, 'linkpath') ?? long.longLink ?? linkField(header)
    if (target === '' || target.includes('\0') || nameLength(target) > MAX_TARGET) {
      throw fault('C2M_TAR_NAME', `has a link ${JSON.stringify(path)} without a possible target`)
    }
    entry.linkTarget = target
  }
  if (type === 'character' || type === 'block') {
    entry.device = { major: deviceNumber(records, 'major', header), minor: deviceNumber(records, 'minor', header) }
  }
  return entry
}

/**
 * Types of POSIX.1-2017 and of GNU tar. Anything else (a volume that continues, a vendor's own) is refused rather than
 * dropped without a word.
 */
function typeOf(header: Header, path: string): TarEntryType {
  switch (header.type) {
    case '\0':
    case '0':
    case '7':
      // v7 had no type for directories
      return path.endsWith('/') ? 'directory' : 'file'
    case 'S':
    case 'V':
      return 'file'
    case '1':
      return 'hardlink'
    case '2':
      return 'symlink'
    case '3':
      return 'character'
    case '4':
      return 'block'
    case '5':
    case 'D':
      return 'directory'
    case '6':
      return 'fifo'
  }
  const shown = JSON.stringify(header.type)
  throw tarFault('C2M_TAR_TYPE', `has ${JSON.stringify(path)} of the unknown type ${shown}`, header.offset)
}

/** Links, devices and directories have none, whatever their size field says (as in GNU tar and Go's archive/tar). */
function hasBody(type: string): boolean {
  return '\x0007SD'.includes(type)
}

function paxNumber(records: PaxValues, keyword: string, header: Header): number | undefined {
  const text = paxText(records, keyword)
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
  throw tarFault('C2M_TAR_NUMBER', `has a PAX ${keyword} ${JSON.stringify(text)} that is no number`, header.offset)
}

function owner(records: PaxValues, field: 'uid' | 'gid', header: Header): number {
  const id = paxNumber(records, field, header) ?? numberField(header, field)
  if (id >= 0 && id <= MAX_ID) return id
  throw tarFault('C2M_TAR_NUMBER', `has a ${field} of ${id}, outside of 0 to ${MAX_ID},`, header.offset)
}

function deviceNumber(records: PaxValues, part: 'major' | 'minor', header: Header): number {
  const value = paxNumber(records, `SCHILY.dev${part}`, header) ?? numberField(header, part)
  if (value >= 0 && value <= MAX_ID) return value
  throw tarFault('C2M_TAR_NUMBER', `has a device number of ${value}`, header.offset)
}

function modificationTime(records: PaxValues, header: Header): Timestamp {
  const text = paxText(records, 'mtime')
  if (text === undefined) return { seconds: numberField(header, 'mtime'), nanoseconds: 0 }
  const time = parsePaxTime(text)
  if (time !== undefined) return time
  throw tarFault('C2M_TAR_NUMBER', `has the time ${JSON.stringify(text)}, which is none,`, header.offset)
}
