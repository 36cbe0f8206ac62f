import type { BlockSource } from '@c2m/disk'
import { probeExt4, type Ext4Summary } from '../ext4/read/probe.js'
import { SIGNATURES, type Signature } from './signatures.js'

export interface ProbedFilesystem extends Signature {
  /** Of ext2, ext3 and ext4. */
  readonly ext4?: Ext4Summary
}

/**
 * What a volume holds, told by its signature as blkid does it; undefined when it is none that c2m knows. Reads a few
 * kilobytes.
 */
export async function probeFilesystem(source: BlockSource): Promise<ProbedFilesystem | undefined> {
  for (const { offset, length, read } of SIGNATURES) {
    const found = read(await readAt(source, offset, length))
    if (found !== undefined) return found
  }
  const ext4 = await probeExt4(source)
  return ext4 && { type: ext4.type, uuid: ext4.uuid, ...(ext4.label ? { label: ext4.label } : {}), ext4 }
}

async function readAt(source: BlockSource, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, source.size - offset)))
  if (bytes.length > 0) await source.read(offset, bytes)
  return bytes
}
