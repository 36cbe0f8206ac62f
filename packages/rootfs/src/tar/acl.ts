/**
 * POSIX ACLs: archives made by star and by `tar --acls` hold text (acl(5), "ACL text forms"), the kernel's extended
 * attributes system.posix_acl_access and system.posix_acl_default hold this (linux/posix_acl_xattr.h), little-endian:
 *
 *       0                4
 *      ┌────────────────┬──────┬──────┬─────────┬──────┬──────┬─────────┬─
 *      │ version = 2    │ tag  │ perm │ id      │ tag  │ perm │ id      │ …
 *      └────────────────┴──────┴──────┴─────────┴──────┴──────┴─────────┴─
 *                         u16    u16    u32 (0xffffffff where there is none)
 */

const VERSION = 2
const NO_ID = 0xffffffff

interface AclEntry {
  readonly tag: number
  readonly permissions: number
  readonly id: number
}

const TAGS: Record<string, readonly [own: number, named: number]> = {
  user: [0x01, 0x02],
  group: [0x04, 0x08],
  mask: [0x10, 0x10],
  other: [0x20, 0x20],
}

const SHORT_TAGS: Record<string, string> = { u: 'user', g: 'group', m: 'mask', o: 'other' }

/** How each tag begins in text; what follows is the id, if any, and the permissions. */
const TEXT_TAGS: Record<number, string> = { 1: 'user', 2: 'user', 4: 'group', 8: 'group', 0x10: 'mask', 0x20: 'other' }

/** Of the entries that a file's mode already expresses. */
const MODE_TAGS = new Set([0x01, 0x04, 0x20])

/**
 * The attribute's bytes; 'nothing' when the text says no more than the mode does; undefined when it is no ACL or names a
 * user or group without its number, which only the tree's own passwd file could tell.
 */
export function aclFromText(text: string, kind: 'access' | 'default'): Uint8Array | 'nothing' | undefined {
  const entries: AclEntry[] = []
  for (const part of text.split(/[,\n]/)) {
    const line = part.replace(/#.*/, '').trim()
    if (line === '') continue
    const entry = parseEntry(line)
    if (entry === undefined) return undefined
    entries.push(entry)
  }
  if (entries.length === 0) return 'nothing'
  if (kind === 'access' && entries.every((entry) => MODE_TAGS.has(entry.tag))) return 'nothing'
  return encode(entries.sort((a, b) => a.tag - b.tag || a.id - b.id))
}

function parseEntry(line: string): AclEntry | undefined {
  const [keyword = '', qualifier = '', permissions, number] = line.replace(/^default:|^d:/, '').split(':')
  // 'other::r--' is also written 'other:r--', and 'mask' likewise
  if (permissions === undefined) return parseEntry(`${keyword}::${qualifier}:`)
  const tags = TAGS[SHORT_TAGS[keyword] ?? keyword]
  const bits = parsePermissions(permissions)
  if (tags === undefined || bits === undefined) return undefined
  if (qualifier === '') return { tag: tags[0], permissions: bits, id: NO_ID }
  // star appends the number to a name
  const digits = number !== undefined && number !== '' ? number : qualifier
  const id = Number(digits)
  if (!/^\d{1,10}$/.test(digits) || id >= NO_ID) return undefined
  return { tag: tags[1], permissions: bits, id }
}

function parsePermissions(text: string): number | undefined {
  if (!/^[r-]?[w-]?[x-]?$/.test(text)) return undefined
  return (text.includes('r') ? 4 : 0) + (text.includes('w') ? 2 : 0) + (text.includes('x') ? 1 : 0)
}

function encode(entries: readonly AclEntry[]): Uint8Array {
  const bytes = Buffer.alloc(4 + entries.length * 8)
  bytes.writeUInt32LE(VERSION, 0)
  entries.forEach((entry, index) => {
    bytes.writeUInt16LE(entry.tag, 4 + index * 8)
    bytes.writeUInt16LE(entry.permissions, 6 + index * 8)
    bytes.writeUInt32LE(entry.id, 8 + index * 8)
  })
  return new Uint8Array(bytes)
}

/** The text form with numeric ids, which GNU tar and bsdtar restore ACLs from; undefined when the bytes are no ACL. */
export function aclToText(bytes: Uint8Array): string | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < 4 || view.length % 8 !== 4 || view.readUInt32LE(0) !== VERSION) return undefined
  const parts: string[] = []
  for (let at = 4; at < view.length; at += 8) {
    const tag = TEXT_TAGS[view.readUInt16LE(at)]
    const permissions = view.readUInt16LE(at + 2)
    const id = view.readUInt32LE(at + 4)
    if (tag === undefined || permissions > 7) return undefined
    const letters = ['r', 'w', 'x'].map((letter, index) => ((permissions & (4 >> index)) === 0 ? '-' : letter))
    parts.push(`${tag}:${id === NO_ID ? '' : id}:${letters.join('')}`)
  }
  return parts.join(',')
}

/**
 * The mode of a file with an access ACL: as the kernel keeps it, the group's bits are the mask's (acl(5), "Correspondence
 * between ACL entries and file permission bits"). libarchive stores the group's own instead.
 */
export function modeWithAcl(mode: number, acl: Uint8Array): number {
  const view = Buffer.from(acl.buffer, acl.byteOffset, acl.byteLength)
  const permissions = new Map<number, number>()
  for (let at = 4; at + 8 <= view.length; at += 8) permissions.set(view.readUInt16LE(at), view.readUInt16LE(at + 2) & 7)
  const user = permissions.get(0x01)
  const group = permissions.get(0x10) ?? permissions.get(0x04)
  const other = permissions.get(0x20)
  if (user === undefined || group === undefined || other === undefined) return mode
  return (mode & 0o7000) | (user << 6) | (group << 3) | other
}
