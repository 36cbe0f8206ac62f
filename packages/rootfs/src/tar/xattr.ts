import { decodeName, encodeName } from '../name/bytes.js'
import { compareNames } from '../name/order.js'
import { aclFromText, aclToText } from './acl.js'
import { NO_XATTRS } from './member.js'
import type { PaxRecord } from './pax.js'

/** star's, GNU tar's and Go's keyword: the value is the attribute's bytes as they are. */
const SCHILY = 'SCHILY.xattr.'
/** libarchive's: the name is percent-encoded, the value base64. */
const LIBARCHIVE = 'LIBARCHIVE.xattr.'
/** GNU tar writes SELinux labels only so. */
const SELINUX = 'RHT.security.selinux'
const ACLS = [
  ['SCHILY.acl.access', 'access'],
  ['SCHILY.acl.default', 'default'],
] as const

/**
 * The records of a file's attributes. ACLs are written twice: GNU tar and bsdtar restore them from text only, container
 * runtimes from the attribute only.
 */
export function xattrRecords(xattrs: ReadonlyMap<string, Uint8Array>): PaxRecord[] {
  const records: PaxRecord[] = []
  for (const [keyword, kind] of ACLS) {
    const acl = xattrs.get(`system.posix_acl_${kind}`)
    const text = acl === undefined ? undefined : aclToText(acl)
    if (text !== undefined) records.push([keyword, Buffer.from(text)])
  }
  for (const name of [...xattrs.keys()].sort(compareNames)) records.push([xattrKeyword(name), xattrs.get(name)!])
  return records
}

/** A keyword cannot hold '=', so GNU tar (since 1.28) escapes it in an attribute's name, and the escape's own sign. */
function xattrKeyword(name: string): string {
  return SCHILY + name.replaceAll('%', '%25').replaceAll('=', '%3D')
}

/**
 * The extended attributes that PAX records hold, ACL texts turned into the attributes that the kernel knows.
 * @param warn takes what cannot be kept
 */
export function xattrsOf(
  records: ReadonlyMap<string, Uint8Array>,
  warn: (message: string) => void,
): ReadonlyMap<string, Uint8Array> {
  let found: Map<string, Uint8Array> | undefined
  // in rising order of trust: a later source replaces an earlier one
  const read = [...aclAttributes(records, warn), ...libarchiveAttributes(records), ...plainAttributes(records)]
  for (const [name, value] of read) (found ??= new Map()).set(name, value)
  return found ?? NO_XATTRS
}

function plainAttributes(records: ReadonlyMap<string, Uint8Array>): PaxRecord[] {
  const attributes: PaxRecord[] = []
  for (const [keyword, value] of records) {
    if (keyword === SELINUX) attributes.push(['security.selinux', value])
    if (!keyword.startsWith(SCHILY)) continue
    attributes.push([keyword.slice(SCHILY.length).replaceAll('%3D', '=').replaceAll('%25', '%'), value])
  }
  return attributes
}

function libarchiveAttributes(records: ReadonlyMap<string, Uint8Array>): PaxRecord[] {
  const attributes: PaxRecord[] = []
  for (const [keyword, value] of records) {
    if (!keyword.startsWith(LIBARCHIVE)) continue
    const base64 = Buffer.from(value).toString('latin1')
    attributes.push([percentDecode(keyword.slice(LIBARCHIVE.length)), new Uint8Array(Buffer.from(base64, 'base64'))])
  }
  return attributes
}

function percentDecode(text: string): string {
  const bytes = Buffer.from(encodeName(text)).toString('latin1')
  const decoded = bytes.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return decodeName(Buffer.from(decoded, 'latin1'))
}

function aclAttributes(records: ReadonlyMap<string, Uint8Array>, warn: (message: string) => void): PaxRecord[] {
  const attributes: PaxRecord[] = []
  for (const [keyword, kind] of ACLS) {
    const value = records.get(keyword)
    const name = `system.posix_acl_${kind}`
    if (value === undefined || records.has(SCHILY + name)) continue
    const text = Buffer.from(value).toString('utf8')
    const acl = aclFromText(text, kind)
    if (acl === undefined) warn(`its ${kind} ACL ${JSON.stringify(text)} has no numeric ids and is left out`)
    else if (acl !== 'nothing') attributes.push([name, acl])
  }
  return attributes
}
