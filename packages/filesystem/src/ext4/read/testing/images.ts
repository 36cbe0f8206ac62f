import type { BlockSource } from '@c2m/disk'
import type { Rootfs } from '@c2m/plugin-api'
import { compareRootfs, type CompareOptions, type Difference } from '@c2m/rootfs'
import { createHash } from 'node:crypto'
import type { Ext4Options } from '../../options.js'
import { memoryRootfs, type MemoryEntry } from '../../testing/memory-rootfs.js'
import { memoryTarget } from '../../testing/memory-target.js'
import { testOptions } from '../../testing/options.js'
import { writeExt4 } from '../../write.js'

/** An image that our own writer made. */
export async function writeImage(
  entries: readonly MemoryEntry[],
  features: readonly string[],
  size: number,
  more: Partial<Ext4Options> = {},
): Promise<Buffer> {
  const target = memoryTarget(size)
  await writeExt4(memoryRootfs(entries), target, testOptions(features, more))
  return target.bytes
}

/** In what two trees differ, but for the folder that only the file system has. */
export function differences(
  expected: Rootfs,
  read: Rootfs,
  options: CompareOptions = {},
): Promise<readonly Difference[]> {
  const { ignore } = options
  return compareRootfs(expected, read, {
    ...options,
    ignore: (path, aspect) => path === 'lost+found' || ignore?.(path, aspect) === true,
  })
}

/** What contents() gives: by path the size, the digest with holes as zeros, and how many bytes are not in holes. */
export async function digests(rootfs: Rootfs): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const { entry, body } of rootfs.contents()) {
    if (found.has(entry.path)) throw new Error(`${entry.path} comes twice`)
    found.set(entry.path, await digest(body, entry.size))
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const ZEROS = Buffer.alloc(1024 * 1024)

async function digest(body: AsyncIterable<{ offset: number; data: Uint8Array }>, size: number): Promise<string> {
  const hash = createHash('sha256')
  let end = 0
  let bytes = 0
  const zeros = (until: number): void => {
    for (; end < until; end = Math.min(end + ZEROS.length, until)) hash.update(ZEROS.subarray(0, until - end))
  }
  for await (const { offset, data } of body) {
    if (offset < end) throw new Error(`an extent at ${offset} comes after byte ${end}`)
    zeros(offset)
    hash.update(data)
    end = offset + data.length
    bytes += data.length
  }
  if (end > size) throw new Error(`an extent ends at ${end}, behind ${size}`)
  zeros(size)
  return `${size} ${hash.digest('hex')} ${bytes}`
}

/** The same through stream(), file by file. */
export async function streamDigests(rootfs: Rootfs, paths: Iterable<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const path of paths) {
    const entry = await rootfs.stat(path)
    found.set(path, await digest(rootfs.stream(path), entry!.size))
  }
  return found
}

/** Reads everything that there is. */
export async function readEverything(
  source: BlockSource,
  open: (source: BlockSource) => Promise<Rootfs>,
): Promise<number> {
  await using rootfs = await open(source)
  let bytes = 0
  for await (const entry of rootfs.walk()) bytes += entry.xattrs.size
  for await (const { body } of rootfs.contents()) for await (const { data } of body) bytes += data.length
  return bytes
}
