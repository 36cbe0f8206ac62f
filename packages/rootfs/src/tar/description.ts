import type { Timestamp } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { encodeName } from '../name/bytes.js'
import { baseName } from '../name/path.js'
import { fitsOctal } from './number.js'
import type { HeaderFields } from './header.js'
import type { TarEntryType, TarInput } from './member.js'
import type { PaxRecord } from './pax.js'
import { formatPaxTime } from './timestamp.js'
import { xattrRecords } from './xattr.js'

const TYPE_FLAGS: Record<TarEntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

const NAME_FIELD = 100
const ID_FIELD = 8
const LARGE_FIELD = 12

/**
 * The ustar header of a member, and PAX records for what does not fit into it: long or non-ASCII names, large numbers,
 * fractions of seconds, extended attributes. hdrcharset=BINARY says that names are bytes, not UTF-8.
 * @param mapSize bytes that a sparse map takes before the data, when there is one
 */
export function describeMember(member: TarInput, mapSize?: number): { header: HeaderFields; records: PaxRecord[] } {
  const records: PaxRecord[] = []
  const add = (keyword: string, value: string | number): void => {
    records.push([keyword, encodeName(String(value))])
  }
  const name = (keyword: 'path' | 'linkpath', value: string): string => {
    if (fitsNameField(value)) return value
    add(keyword, value)
    return plainName(value)
  }
  const number = (keyword: 'uid' | 'gid' | 'size', value: number, length: number): number => {
    if (fitsOctal(value, length)) return value
    add(keyword, value)
    return 0
  }
  const path = member.type === 'directory' && !member.path.endsWith('/') ? `${member.path}/` : member.path
  const target = member.linkTarget ?? ''
  if ([path, target].some((text) => /[\udc80-\udcff]/.test(text) && !isWellFormed(text))) add('hdrcharset', 'BINARY')
  const header = {
    type: TYPE_FLAGS[member.type],
    name: name('path', path),
    linkname: name('linkpath', target),
    mode: member.mode & 0o7777,
    size: number('size', storedSize(member, mapSize), LARGE_FIELD),
    uid: number('uid', member.uid, ID_FIELD),
    gid: number('gid', member.gid, ID_FIELD),
    mtime: headerTime(member.mtime),
    ...deviceFields(member),
  }
  if (header.mtime !== member.mtime.seconds || member.mtime.nanoseconds !== 0) add('mtime', formatPaxTime(member.mtime))
  if (mapSize !== undefined) {
    add('GNU.sparse.major', 1)
    add('GNU.sparse.minor', 0)
    add('GNU.sparse.name', path)
    add('GNU.sparse.realsize', member.size)
  }
  // a hard link's attributes stand with the name that holds the body
  if (member.type !== 'hardlink') records.push(...xattrRecords(member.xattrs))
  return { header, records }
}

/** GNU tar's manner: the member's name with a folder before its last part; only readers that know no PAX see it. */
export function paxHeaderName(path: string): string {
  return `PaxHeaders.0/${plainName(baseName(path.replace(/(?<!\/)\/+$/, ''))).slice(0, NAME_FIELD - 20)}`
}

function plainName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '_').slice(0, NAME_FIELD)
}

function fitsNameField(name: string): boolean {
  return name.length <= NAME_FIELD && /^[\x01-\x7f]*$/.test(name)
}

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/u.test(text)
}

function storedSize(member: TarInput, mapSize: number | undefined): number {
  if (member.type !== 'file') return 0
  if (mapSize === undefined) return member.size
  return (member.sparse ?? []).reduce((sum, run) => sum + run.length, mapSize)
}

function headerTime(time: Timestamp): number {
  return fitsOctal(time.seconds, LARGE_FIELD) ? time.seconds : 0
}

function deviceFields(member: TarInput): { major: number; minor: number } | undefined {
  if (member.device === undefined) return undefined
  const { major, minor } = member.device
  if (fitsOctal(major, ID_FIELD) && fitsOctal(minor, ID_FIELD)) return { major, minor }
  throw new C2mError('C2M_TAR_DEVICE', `${JSON.stringify(member.path)} has the device number ${major}:${minor}`, {
    hint: 'Linux has 12 bits for the major and 20 bits for the minor number',
  })
}
