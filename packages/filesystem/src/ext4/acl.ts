/**
 * POSIX access control lists: system.posix_acl_access and _default as programs see them (acl(5), version 2) and as ext4
 * stores them (fs/ext4/acl.h, version 1). Little-endian.
 *
 *     xattr    | 2 u32 | then each: | tag u16 | permissions u16 | id u32 |
 *     ext4     | 1 u32 | then each: | tag u16 | permissions u16 | and for named users and groups: | id u32 |
 */
const XATTR_VERSION = 2
const STORED_VERSION = 1
const HEADER = 4
const XATTR_ENTRY = 8
const SHORT_ENTRY = 4

const Tag = { userOwner: 0x01, user: 0x02, groupOwner: 0x04, group: 0x08, mask: 0x10, other: 0x20 } as const
const TAGS: ReadonlySet<number> = new Set(Object.values(Tag))
const NO_ID = 0xffffffff

function hasId(tag: number): boolean {
  return tag === Tag.user || tag === Tag.group
}

/** Undefined when the value is not a version 2 list. */
export function encodeAcl(value: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (bytes.length < HEADER || (bytes.length - HEADER) % XATTR_ENTRY !== 0) return undefined
  if (bytes.readUInt32LE(0) !== XATTR_VERSION) return undefined
  const stored = Buffer.alloc(bytes.length)
  stored.writeUInt32LE(STORED_VERSION, 0)
  let end = HEADER
  for (let at = HEADER; at < bytes.length; at += XATTR_ENTRY) {
    const tag = bytes.readUInt16LE(at)
    if (!TAGS.has(tag)) return undefined
    const size = hasId(tag) ? XATTR_ENTRY : SHORT_ENTRY
    bytes.copy(stored, end, at, at + size)
    end += size
  }
  return stored.subarray(0, end)
}

/** Undefined when the bytes are not a list. */
export function decodeAcl(stored: Buffer): Buffer | undefined {
  if (stored.length < HEADER || stored.readUInt32LE(0) !== STORED_VERSION) return undefined
  const entries: Buffer[] = []
  for (let at = HEADER; at < stored.length;) {
    if (at + SHORT_ENTRY > stored.length) return undefined
    const tag = stored.readUInt16LE(at)
    const size = hasId(tag) ? XATTR_ENTRY : SHORT_ENTRY
    if (!TAGS.has(tag) || at + size > stored.length) return undefined
    const entry = Buffer.alloc(XATTR_ENTRY)
    entry.writeUInt32LE(NO_ID, 4)
    stored.copy(entry, 0, at, at + size)
    entries.push(entry)
    at += size
  }
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(XATTR_VERSION, 0)
  return Buffer.concat([header, ...entries])
}
