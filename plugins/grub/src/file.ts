import type { Rootfs } from '@c2m/plugin-api'
import { grubError } from './error.js'

/**
 * A small file of the tree, through symlinks; undefined when there is none.
 *
 * @param path absolute in the guest
 * @param limit bytes
 * @throws C2M_GRUB_FILE when it is no regular file or larger than `limit`
 */
export async function readFile(rootfs: Rootfs, path: string, limit: number): Promise<Uint8Array | undefined> {
  const name = await rootfs.resolve(path.replace(/^\/+/, ''))
  if (name === undefined) return undefined
  const entry = await rootfs.stat(name)
  if (entry === undefined) return undefined
  if (entry.type !== 'file') throw unusable(path, `is a ${entry.type}, not a regular file`)
  if (entry.size > limit) throw unusable(path, `has ${entry.size} bytes, more than the ${limit} that fit`)
  const content = new Uint8Array(entry.size)
  for await (const { offset, data } of rootfs.stream(name)) {
    if (offset + data.length > content.length) throw unusable(path, `grew beyond its ${entry.size} bytes`)
    content.set(data, offset)
  }
  return content
}

/** @throws C2M_GRUB_FILE also when there is none */
export async function requireFile(rootfs: Rootfs, path: string, limit: number): Promise<Uint8Array> {
  const content = await readFile(rootfs, path, limit)
  if (content === undefined) throw unusable(path, 'is missing')
  return content
}

function unusable(path: string, because: string): Error {
  return grubError(
    'C2M_GRUB_FILE',
    `the guest's ${path} ${because}`,
    'GRUB was not installed in the guest as expected; run again with --refresh and look at the package step with --verbose',
  )
}
