import type { Rootfs } from '@c2m/plugin-api'
import { relativePath } from './paths.js'

const KIB = 1024
const MIB = 1024 * KIB

/**
 * Bytes of a tree's text files that are read, by what they are: far more than real ones have, and little enough that
 * everything that is done with them takes a moment. Lines have no limit of their own: no parser may take longer for a
 * long one.
 */
export const TEXT_LIMITS = {
  /** os-release, a unit that c2m wrote */
  short: 64 * KIB,
  unit: 256 * KIB,
  /** fstab, inittab, interfaces, those of servers, sources of packages; and what no other word is for */
  configuration: MIB,
  /** passwd, shadow, group */
  accounts: 16 * MIB,
  /** The paths of one package; the longest real one (headers of a kernel) has less than 2 MiB. */
  packageList: 16 * MIB,
  /** The paths of all packages; 3,000 have about 30 MiB. */
  packageDatabase: 128 * MIB,
  /** c2m's own, of what it added to a machine */
  record: 256 * MIB,
} as const

/**
 * The bytes of a regular file, following links inside the tree; undefined when there is none.
 * @param limit bytes
 * @throws when the file is longer than `limit`
 */
export async function readBytes(
  rootfs: Rootfs,
  path: string,
  limit: number = TEXT_LIMITS.configuration,
): Promise<Uint8Array | undefined> {
  const target = await rootfs.resolve(relativePath(path))
  if (target === undefined) return undefined
  const entry = await rootfs.stat(target)
  if (entry?.type !== 'file') return undefined
  if (entry.size > limit)
    throw new Error(`/${target} has ${entry.size} bytes, more than the ${limit} that are sensible`)
  const bytes = new Uint8Array(entry.size)
  for await (const { offset, data } of rootfs.stream(target)) {
    if (offset + data.length > bytes.length) throw new Error(`/${target} is longer than its entry says`)
    bytes.set(data, offset)
  }
  return bytes
}

/** A file's text as UTF-8 (invalid bytes become U+FFFD: for looking, not for writing back); undefined when there is none. */
export async function readText(rootfs: Rootfs, path: string, limit?: number): Promise<string | undefined> {
  const bytes = await readBytes(rootfs, path, limit)
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
}

/** Whether there is a file, a directory or anything else at the end of all links. */
export async function exists(rootfs: Rootfs, path: string): Promise<boolean> {
  const target = await rootfs.resolve(relativePath(path))
  return target !== undefined && (await rootfs.stat(target)) !== undefined
}
