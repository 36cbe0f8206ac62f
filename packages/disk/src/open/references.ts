import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { C2mError, errno, fileError } from '@c2m/process'

/** `name:` before any slash: QEMU would take it for a protocol (json:, nbd:, http:, file:, fat: …). */
const PROTOCOL = /^[^/]*:/
/** Control characters and U+FFFD, which stands for bytes that are no UTF-8. */
const UNPRINTABLE = /[\x00-\x1f\x7f\ufffd]/

/** Where the files that an image refers to may lie. */
export interface AllowedFolders {
  /** Absolute, without symlinks. */
  readonly folders: readonly string[]
}

/**
 * The user's directories and the image's own folder.
 * @param image absolute, without symlinks
 * @throws C2M_FILE_… when a directory is missing
 */
export async function allowFolders(image: string, allowBacking: readonly string[]): Promise<AllowedFolders> {
  const folders = [dirname(image)]
  for (const folder of allowBacking) {
    folders.push(
      await realpath(folder).catch((error: unknown) => {
        throw fileError(error, folder, 'look into')
      }),
    )
  }
  return { folders }
}

/**
 * The file that an image names as the one it is based on: never a protocol, never outside of the allowed folders, wherever
 * '..' and symlinks lead.
 * @param from the image, absolute, without symlinks
 * @returns absolute, without symlinks
 * @throws C2M_DISK_REFERENCE, C2M_DISK_REFERENCE_MISSING, C2M_FILE_…
 */
export async function resolveBacking(name: string, from: string, allowed: AllowedFolders): Promise<string> {
  refuseProtocol(name, from)
  return resolveInside(resolve(dirname(from), name), name, from, allowed.folders)
}

/**
 * The file that a VMDK names as one of its extents: a plain name in its own folder.
 * @throws as `resolveBacking`
 */
export async function resolveExtent(name: string, from: string): Promise<string> {
  refuseProtocol(name, from)
  if (name !== basename(name) || name === '.' || name === '..') {
    throw refused(name, from, 'extents must lie beside their descriptor', 'put them there, with plain names in it')
  }
  return resolveInside(join(dirname(from), name), name, from, [dirname(from)])
}

function refuseProtocol(name: string, from: string): void {
  if (name === '' || UNPRINTABLE.test(name)) throw refused(name, from, 'that is no file name', 'do not trust the image')
  if (!PROTOCOL.test(name)) return
  throw refused(
    name,
    from,
    'only plain file names are followed',
    'if you trust the image, rebase a copy: qemu-img rebase',
  )
}

async function resolveInside(path: string, name: string, from: string, folders: readonly string[]): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    // says nothing about what lies outside
    if (!isInside(path, folders)) throw outside(name, from)
    throw errno(error) === 'ENOENT' ? missing(name, from) : fileError(error, path, 'read')
  })
  if (!isInside(real, folders)) throw outside(name, from)
  if (!(await stat(real)).isFile()) throw refused(name, from, 'it is not a regular file', 'do not trust the image')
  return real
}

function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder.endsWith('/') ? folder : `${folder}/`))
}

function outside(name: string, from: string): C2mError {
  return refused(
    name,
    from,
    "that lies outside of the image's folder",
    'if you trust the image, allow that directory with --allow-backing DIR',
  )
}

function missing(name: string, from: string): C2mError {
  return new C2mError(
    'C2M_DISK_REFERENCE_MISSING',
    `${from} needs the file ${JSON.stringify(name)}, which is not there`,
    {
      hint: 'copy all files of the disk, into one folder',
    },
  )
}

/** JSON.stringify keeps control characters from the terminal. */
function refused(name: string, from: string, why: string, hint: string): C2mError {
  return new C2mError('C2M_DISK_REFERENCE', `${from} refers to ${JSON.stringify(name)}: ${why}`, { hint })
}
