import { C2mError } from '@c2m/process'
import { quotePath } from '../errors.js'

/** What an error speaks of: an inode and, for all but the file system's own, the path it was reached by. */
export interface Place {
  readonly inode: number
  readonly path: string | undefined
}

const REPAIR = 'repair a copy of the disk with e2fsck -f and take the copy'
const EXCLUDE = 'leave it out with --exclude, or repair a copy of the disk with e2fsck -f and take the copy'

/** A file whose metadata contradicts itself: C2M_EXT4_DAMAGED. */
export function damaged(place: Place, why: string): C2mError {
  return new C2mError('C2M_EXT4_DAMAGED', `${describePlace(place)} is damaged: ${why}`, { hint: hintFor(place) })
}

/** A file one of whose checksums is wrong: C2M_EXT4_CHECKSUM. */
export function wrongChecksum(place: Place, what: string): C2mError {
  return new C2mError('C2M_EXT4_CHECKSUM', `${describePlace(place)} is damaged: the checksum of ${what} is wrong`, {
    hint: hintFor(place),
  })
}

/** The file system as a whole: C2M_EXT4_DAMAGED. */
export function damagedFileSystem(why: string): C2mError {
  return new C2mError('C2M_EXT4_DAMAGED', `the ext4 file system is damaged: ${why}`, { hint: REPAIR })
}

/** C2M_EXT4_CHECKSUM */
export function wrongFileSystemChecksum(what: string): C2mError {
  return new C2mError('C2M_EXT4_CHECKSUM', `the ext4 file system is damaged: the checksum of ${what} is wrong`, {
    hint: REPAIR,
  })
}

/** C2M_EXT4_JOURNAL */
export function damagedJournal(why: string): C2mError {
  return new C2mError('C2M_EXT4_JOURNAL', `the journal of the ext4 file system cannot be replayed: ${why}`, {
    hint: REPAIR,
  })
}

/** C2M_EXT4_UNSUPPORTED */
export function unsupported(what: string, hint: string): C2mError {
  return new C2mError('C2M_EXT4_UNSUPPORTED', `the ext4 file system cannot be read: ${what}`, { hint })
}

/** C2M_EXT4_ENCRYPTED */
export function encrypted(place: Place): C2mError {
  return new C2mError('C2M_EXT4_ENCRYPTED', `${describePlace(place)} is encrypted`, {
    hint: 'leave its folder out with --exclude, or copy it from the running machine, where it is unlocked',
  })
}

function describePlace({ inode, path }: Place): string {
  return path === undefined ? `inode ${inode} of the ext4 file system` : `${quotePath(path)} (inode ${inode})`
}

function hintFor({ path }: Place): string {
  return path === undefined || path === '' ? REPAIR : EXCLUDE
}
