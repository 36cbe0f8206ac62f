import type { ByteString } from '../files/write.js'
import { allRecords, appendRecord, findRecord, isRecord, setField } from './colon-file.js'
import { checkCryptHash } from './hash.js'

/** The four files that say who there is, as they are or are to be. */
export interface AccountFiles {
  readonly passwd: ByteString
  readonly shadow: ByteString
  readonly group: ByteString
  readonly gshadow: ByteString
}

export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** Nothing hashes to it: no password is right, keys still work. ('!' in front would make some sshd refuse keys as well.) */
export const NO_PASSWORD = '*'

/** login.defs(5) as most have it: people from UID_MIN, system groups below SYS_GID_MAX. */
const PEOPLE = { first: 1000, last: 59_999 }
const SYSTEM = { first: 999, last: 100 }
const LARGEST_ID = 0xffff_fffe

/** useradd(8)'s rule, without the trailing '$' of machine accounts. @throws when the name breaks it */
export function checkAccountName(name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return name
  throw new Error(
    `'${name}' is no user or group name: take a small letter, then small letters, digits, '_' and '-', 32 at most`,
  )
}

export function findAccount(files: AccountFiles, name: string): Account | undefined {
  const record = findRecord(files.passwd, name)
  if (record === undefined) return undefined
  const [, , uid = '', gid = '', , home = ''] = record
  return { name, uid: parseId(uid, name), gid: parseId(gid, name), home: home.startsWith('/') ? home : '/' }
}

function parseId(text: string, name: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(id <= LARGEST_ID))
    throw new Error(`/etc/passwd has '${text}' as an id of ${name}; it must be a number up to ${LARGEST_ID}`)
  return id
}

/** Adds a person with a group of the same name and no password; the files are unchanged when there is one of that name. */
export function addAccount(
  files: AccountFiles,
  name: string,
  options: { readonly home: string; readonly shell: string },
): AccountFiles {
  checkAccountName(name)
  if (findRecord(files.passwd, name) !== undefined) return files
  const uid = freeId(idsOf(files.passwd), PEOPLE, [...idsOf(files.group)])
  const grouped = addGroup(files, name, uid)
  const gid = findRecord(grouped.group, name)?.[2] ?? String(uid)
  return {
    ...grouped,
    passwd: appendRecord(files.passwd, [name, 'x', String(uid), gid, '', options.home, options.shell]),
    // no date of the last change: ageing is off (shadow(5)), and the same request gives the same file on any day
    shadow: appendRecord(files.shadow, [name, NO_PASSWORD, '', '0', '99999', '7', '', '', '']),
  }
}

/** Adds a group, with the given id when that is free; the files are unchanged when there is one of that name. */
export function addGroup(files: AccountFiles, name: string, wanted?: number): AccountFiles {
  checkAccountName(name)
  if (findRecord(files.group, name) !== undefined) return files
  const taken = idsOf(files.group)
  const gid = wanted !== undefined && !taken.has(wanted) ? wanted : freeId(taken, SYSTEM)
  return {
    ...files,
    group: appendRecord(files.group, [name, 'x', String(gid), '']),
    gshadow: files.gshadow === '' ? '' : appendRecord(files.gshadow, [name, '!', '', '']),
  }
}

/** Makes `user` a member of a group, which is added when missing. */
export function addToGroup(files: AccountFiles, user: string, group: string): AccountFiles {
  const there = addGroup(files, checkAccountName(group))
  const join = (text: ByteString): ByteString => {
    const members = (findRecord(text, group)?.[3] ?? '').split(',').filter((member) => member !== '')
    return members.includes(user) ? text : setField(text, group, 3, [...members, user].join(','))
  }
  return { ...there, group: join(there.group), gshadow: join(there.gshadow) }
}

/** Sets a crypt(5) hash, or NO_PASSWORD. @throws when there is no such user or it is no hash */
export function setPassword(files: AccountFiles, name: string, hash: string): AccountFiles {
  if (hash !== NO_PASSWORD) checkCryptHash(hash)
  if (findRecord(files.passwd, name) === undefined) throw new Error(`/etc/passwd has no user ${name}`)
  if (findRecord(files.shadow, name) === undefined) {
    const shadow = appendRecord(files.shadow, [name, hash, '', '0', '99999', '7', '', '', ''])
    return { ...files, shadow, passwd: setField(files.passwd, name, 1, 'x') }
  }
  return { ...files, shadow: setField(files.shadow, name, 1, hash), passwd: setField(files.passwd, name, 1, 'x') }
}

/** The password field as it counts: of shadow, or of passwd when that does not refer to shadow. */
export function passwordOf(files: AccountFiles, name: string): string | undefined {
  const inPasswd = findRecord(files.passwd, name)?.[1]
  return inPasswd === 'x' ? findRecord(files.shadow, name)?.[1] : inPasswd
}

/**
 * Gives the same date of the last password change to all accounts that `image` does not have: package scripts write the
 * day on which they ran.
 * @param day days since the epoch
 */
export function settleLastChange(files: AccountFiles, image: AccountFiles, day: number): AccountFiles {
  const known = new Set(image.shadow.split('\n').map((line) => line.split(':', 1)[0]))
  const lines = files.shadow.split('\n').map((line) => {
    const fields = line.split(':')
    if (!isRecord(line) || known.has(fields[0]) || (fields[2] ?? '') === '') return line
    fields[2] = String(day)
    return fields.join(':')
  })
  return { ...files, shadow: lines.join('\n') }
}

function idsOf(text: ByteString): ReadonlySet<number> {
  return new Set(allRecords(text).map((fields) => Number(fields[2])))
}

/** The first id of the range (upwards or downwards) that nobody has. */
function freeId(
  taken: ReadonlySet<number>,
  range: { first: number; last: number },
  alsoTaken: readonly number[] = [],
): number {
  const all = new Set([...taken, ...alsoTaken])
  const direction = Math.sign(range.last - range.first)
  for (let id = range.first; id !== range.last + direction; id += direction) if (!all.has(id)) return id
  throw new Error(`no id between ${range.first} and ${range.last} is free`)
}
