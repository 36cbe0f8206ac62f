import type { Rootfs, RootfsEdit } from '@c2m/plugin-api'

/** Larger files than this are not read into memory; bytes. */
const LIMIT = 64 * 1024 * 1024

export async function isFile(rootfs: Rootfs, path: string): Promise<boolean> {
  const real = await rootfs.resolve(path)
  return real !== undefined && (await rootfs.stat(real))?.type === 'file'
}

/** A file's bytes, links followed; undefined when there is none. @throws when it is too large */
export async function readBytes(rootfs: Rootfs, path: string): Promise<Buffer | undefined> {
  const real = await rootfs.resolve(path)
  const entry = real === undefined ? undefined : await rootfs.stat(real)
  if (real === undefined || entry?.type !== 'file') return undefined
  if (entry.size > LIMIT) throw new Error(`${path} has ${entry.size} bytes, more than ${LIMIT}`)
  const bytes = Buffer.alloc(entry.size)
  for await (const { offset, data } of rootfs.stream(real)) bytes.set(data, offset)
  return bytes
}

export async function readText(rootfs: Rootfs, path: string): Promise<string | undefined> {
  return (await readBytes(rootfs, path))?.toString('utf8')
}

/** A directory, unless something of that name is there. */
export async function makeDirectory(rootfs: RootfsEdit, path: string, mode = 0o755): Promise<void> {
  if ((await rootfs.resolve(path)) === undefined) await rootfs.put({ path, type: 'directory', mode })
}
