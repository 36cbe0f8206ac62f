/** What a probe says of a volume, in blkid's terms: TYPE, UUID and LABEL. */
export interface Signature {
  readonly type: string
  readonly uuid?: string
  readonly label?: string
}

/** A place to look at, and what the bytes there say. `read` gives fewer bytes only at the volume's end. */
export interface SignatureReader {
  /** Bytes from the start of the volume. */
  readonly offset: number
  readonly length: number
  read(bytes: Buffer): Signature | undefined
}

const KIB = 1024

/** Containers first: what they hold may lie at the same place as a stale signature of an earlier file system. */
export const SIGNATURES: readonly SignatureReader[] = [
  { offset: 0, length: 592, read: luks },
  { offset: 0, length: 2 * KIB, read: lvm },
  { offset: 4 * KIB, length: 256, read: mdraid }, // version 1.2
  { offset: 0, length: 256, read: mdraid }, // version 1.1
  { offset: 0, length: 512, read: xfs },
  { offset: 64 * KIB, length: 4 * KIB, read: btrfs },
  { offset: 0, length: 4 * KIB, read: swap },
  { offset: 0, length: 512, read: fat },
  { offset: 0, length: 96, read: squashfs },
  { offset: 1 * KIB, length: 1280, read: f2fs },
  { offset: 1 * KIB, length: 96, read: erofs },
  { offset: 32 * KIB, length: 2 * KIB, read: iso9660 },
  { offset: 128 * KIB, length: 128 * KIB, read: zfs },
  { offset: 0, length: 512, read: microsoft },
]

/** LUKS1 and LUKS2 (LUKS2 on-disk format, section 2.1): magic, version u16 BE, label at 24 (2 only), UUID as text at 168. */
function luks(bytes: Buffer): Signature | undefined {
  if (text(bytes, 0, 6) !== 'LUKS\xba\xbe') return undefined
  const label = bytes.readUInt16BE(6) === 2 ? cString(bytes, 24, 48) : undefined
  return signature('crypto_LUKS', cString(bytes, 168, 40), label)
}

/** LVM2: a label in one of the first four sectors, then the physical volume's id, which is shown in groups. */
function lvm(bytes: Buffer): Signature | undefined {
  for (let sector = 0; sector + 64 <= bytes.length; sector += 512) {
    if (text(bytes, sector, 8) !== 'LABELONE' || text(bytes, sector + 24, 8) !== 'LVM2 001') continue
    const id = text(bytes, sector + 32, 32)
    const groups = [6, 4, 4, 4, 4, 4, 6]
    let at = 0
    return signature('LVM2_member', groups.map((length) => id.slice(at, (at += length))).join('-'))
  }
  return undefined
}

/** Linux MD, superblock version 1 (md(4)): magic, then set_uuid at 16 and set_name at 32. */
function mdraid(bytes: Buffer): Signature | undefined {
  if (bytes.length < 64 || bytes.readUInt32LE(0) !== 0xa92b4efc || bytes.readUInt32LE(4) !== 1) return undefined
  return signature('linux_raid_member', uuid(bytes, 16), cString(bytes, 32, 32))
}

/** XFS (XFS Algorithms & Data Structures, Superblocks): sb_uuid at 32, sb_fname at 108. */
function xfs(bytes: Buffer): Signature | undefined {
  return text(bytes, 0, 4) === 'XFSB' ? signature('xfs', uuid(bytes, 32), cString(bytes, 108, 12)) : undefined
}

/** btrfs superblock at 64 KiB: fsid at 0x20, magic at 0x40, label at 0x12b. */
function btrfs(bytes: Buffer): Signature | undefined {
  if (text(bytes, 0x40, 8) !== '_BHRfS_M') return undefined
  return signature('btrfs', uuid(bytes, 0x20), cString(bytes, 0x12b, 256))
}

/** Swap area, version 1, of 4 KiB pages (mkswap(8)): UUID at 1036, label at 1052, magic in the page's last bytes. */
function swap(bytes: Buffer): Signature | undefined {
  if (text(bytes, 4096 - 10, 10) !== 'SWAPSPACE2') return undefined
  return signature('swap', uuid(bytes, 1036), cString(bytes, 1052, 16))
}

/** FAT (Microsoft's FAT specification, section 3): the volume id and label stand elsewhere in FAT32. */
function fat(bytes: Buffer): Signature | undefined {
  if (bytes.length < 512 || bytes.readUInt16BE(510) !== 0x55aa) return undefined
  const at = text(bytes, 82, 5) === 'FAT32' ? 67 : text(bytes, 54, 3) === 'FAT' ? 39 : undefined
  if (at === undefined) return undefined
  const id = bytes.readUInt32LE(at).toString(16).toUpperCase().padStart(8, '0')
  const label = text(bytes, at + 4, 11).trimEnd()
  return signature('vfat', `${id.slice(0, 4)}-${id.slice(4)}`, label === 'NO NAME' ? undefined : label)
}

function squashfs(bytes: Buffer): Signature | undefined {
  return text(bytes, 0, 4) === 'hsqs' ? signature('squashfs') : undefined
}

/** f2fs superblock at 1 KiB: UUID at 108, label in UTF-16 at 124. */
function f2fs(bytes: Buffer): Signature | undefined {
  if (bytes.length < 1148 || bytes.readUInt32LE(0) !== 0xf2f52010) return undefined
  return signature('f2fs', uuid(bytes, 108), bytes.toString('utf16le', 124, 124 + 1024).split('\0')[0])
}

/** EROFS superblock at 1 KiB: UUID at 48, volume name at 64. */
function erofs(bytes: Buffer): Signature | undefined {
  if (bytes.length < 80 || bytes.readUInt32LE(0) !== 0xe0f5e1e2) return undefined
  return signature('erofs', uuid(bytes, 48), cString(bytes, 64, 16))
}

/** ISO 9660 (ECMA-119, section 8.4): the primary volume descriptor in sector 16. */
function iso9660(bytes: Buffer): Signature | undefined {
  return text(bytes, 1, 5) === 'CD001' ? signature('iso9660', undefined, text(bytes, 40, 32).trimEnd()) : undefined
}

/** ZFS: the first label's array of 1 KiB uberblocks; any of them may be written. */
function zfs(bytes: Buffer): Signature | undefined {
  for (let at = 0; at + 8 <= bytes.length; at += KIB) {
    if (bytes.readBigUInt64LE(at) === 0xbab10cn) return signature('zfs_member')
  }
  return undefined
}

function microsoft(bytes: Buffer): Signature | undefined {
  const oem = text(bytes, 3, 8)
  const type = { 'NTFS    ': 'ntfs', 'EXFAT   ': 'exfat', '-FVE-FS-': 'BitLocker' }[oem]
  return type === undefined ? undefined : signature(type)
}

function signature(type: string, id?: string, label?: string): Signature {
  return { type, ...(id ? { uuid: id } : {}), ...(label ? { label } : {}) }
}

function text(bytes: Buffer, at: number, length: number): string {
  return bytes.toString('latin1', at, at + length)
}

function cString(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Undefined for zeros, which mean none. */
function uuid(bytes: Buffer, at: number): string | undefined {
  const hex = bytes.toString('hex', at, at + 16)
  if (hex.length < 32 || /^0+$/.test(hex)) return undefined
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
