import { createHash } from 'node:crypto'
import { run } from '@c2m/process'
import { createRawDisk } from '../block/raw-disk.js'
import type { BlockSource } from '../block/source.js'
import { diskSize } from '../partition-table/layout.js'
import { writePartitionTable } from '../partition-table/write.js'
import { MIB, plan } from './plans.js'

/** A disk with a GPT of one partition and, in its first 40 MiB, noise between holes, compressible text and zeros. */
export async function makeRawDisk(path: string, rootSize = 41 * MIB, far?: number): Promise<number> {
  const disk = plan('gpt', ['root'])
  const size = diskSize(disk, rootSize)
  await using target = await createRawDisk(path, size)
  await writePartitionTable(target, disk)
  for (let block = 0; block < 10; block++) {
    await target.write((2 + 4 * block) * MIB + block * 4096, noise(`${block}`, 128 * 1024 + block * 512))
    await target.write((4 + 4 * block) * MIB, Buffer.from('Lorem ipsum '.repeat(10_000)))
  }
  if (far !== undefined) await target.write(far, noise('far', MIB))
  return size
}

export function noise(label: string, length: number): Buffer {
  const parts: Buffer[] = []
  for (let made = 0; made < length; made += 64) parts.push(createHash('sha512').update(`${label}/${made}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

export interface Contents {
  /** SHA-256 of all bytes. */
  readonly digest: string
  /** Bytes that lie outside of what the source calls data and are no zeros. */
  readonly lost: number
}

/** Reads all of a source, several requests at once, and checks what it says of holes. */
export async function readContents(source: BlockSource, upTo = source.size): Promise<Contents> {
  const hash = createHash('sha256')
  const piece = 4 * MIB
  const ranges: { offset: number; length: number }[] = []
  for await (const range of source.data(0, upTo)) ranges.push(range)
  let lost = 0
  for (let at = 0; at < upTo; at += 4 * piece) {
    const buffer = Buffer.alloc(Math.min(4 * piece, upTo - at), 0xee)
    const reads: Promise<void>[] = []
    for (let from = 0; from < buffer.length; from += piece) {
      reads.push(source.read(at + from, buffer.subarray(from, from + piece)))
    }
    await Promise.all(reads)
    hash.update(buffer)
    for (const { offset, length } of ranges) {
      const start = Math.max(0, offset - at)
      const end = Math.min(buffer.length, offset + length - at)
      if (start < end) buffer.fill(0, start, end)
    }
    if (!buffer.equals(Buffer.alloc(buffer.length))) lost += buffer.filter((byte) => byte !== 0).length
  }
  return { digest: hash.digest('hex'), lost }
}

export async function convert(raw: string, out: string, format: string, options?: string, more: string[] = []) {
  await run('qemu-img', [
    ...['convert', '-f', 'raw', '-O', format, ...more],
    ...(options === undefined ? [] : ['-o', options]),
    ...[raw, out],
  ])
}
