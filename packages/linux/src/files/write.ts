import type { RootfsEdit } from '@c2m/plugin-api'
import { relativePath } from './paths.js'
import { readBytes } from './read.js'

export interface Ownership {
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
}

/**
 * Text with one character for each byte, so that lines in any encoding pass unchanged through an edit.
 * `byteString` makes such text from ordinary text, as UTF-8.
 */
export type ByteString = string

export function byteString(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Writes a file through links inside the tree; mode, owner and xattrs of a file that exists are kept. */
export async function writeBytes(edit: RootfsEdit, path: string, bytes: Uint8Array, created: Ownership): Promise<void> {
  const name = relativePath(path)
  const target = (await edit.resolve(name)) ?? name
  const there = await edit.stat(target)
  const kept = there?.type === 'file' ? there : undefined
  const { mode, uid = 0, gid = 0 } = kept ?? created
  await edit.put({ path: target, type: 'file', mode, uid, gid, xattrs: kept?.xattrs }, bytes)
}

/**
 * Changes a text file; one that does not exist is edited as empty text. An unchanged text is not written.
 * @param created mode and owner for a file that did not exist
 */
export async function editText(
  edit: RootfsEdit,
  path: string,
  change: (text: ByteString) => ByteString,
  created: Ownership = { mode: 0o644 },
): Promise<void> {
  const before = Buffer.from((await readBytes(edit, path)) ?? []).toString('latin1')
  const after = change(before)
  if (after !== before) await writeBytes(edit, path, Buffer.from(after, 'latin1'), created)
}

/** Makes a directory, or gives one that exists the mode and owner; a link to a directory inside the tree is followed. */
export async function makeDirectory(edit: RootfsEdit, path: string, ownership: Ownership): Promise<void> {
  const name = relativePath(path)
  const target = (await edit.resolve(name)) ?? name
  const there = await edit.stat(target)
  const { mode, uid = 0, gid = 0 } = ownership
  await edit.put({ path: target, type: 'directory', mode, uid, gid, xattrs: there?.xattrs })
}

/** Makes a directory with mode 0755 (or the given one) only when nothing is there. */
export async function ensureDirectory(edit: RootfsEdit, path: string, mode = 0o755): Promise<void> {
  const target = await edit.resolve(relativePath(path))
  const there = target === undefined ? undefined : await edit.stat(target)
  if (there?.type !== 'directory') await edit.put({ path: relativePath(path), type: 'directory', mode })
}

export async function makeSymlink(edit: RootfsEdit, path: string, linkTarget: string): Promise<void> {
  const name = relativePath(path)
  await edit.remove(name)
  await edit.put({ path: name, type: 'symlink', mode: 0o777, linkTarget })
}
