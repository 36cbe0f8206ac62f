import type { Rootfs } from '@c2m/plugin-api'
import { relativePath } from './paths.js'

/** No configuration file that c2m reads is longer. */
export const CONFIGURATION_LIMIT = 1024 * 1024

/**
 * The bytes of a regular file, following links inside the tree; undefined when there is none.
 * @param limit bytes
 * @throws when the file is longer than `limit`
 */
export async function readBytes(
  rootfs: Rootfs,
  path: string,
  limit = CONFIGURATION_LIMIT,
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
