import type { BlockSource } from '@c2m/disk'
import { open } from 'node:fs/promises'

/** Bytes in memory as a source that, like a real one, refuses what lies outside; it knows its holes if it is told to. */
export function memorySource(bytes: Buffer, holes = false): BlockSource {
  return {
    size: bytes.length,
    async read(offset, target) {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset + target.length > bytes.length) {
        throw new RangeError(`read of ${target.length} bytes at ${offset} leaves the source`)
      }
      await Promise.resolve()
      target.set(bytes.subarray(offset, offset + target.length))
    },
    async *data(offset, length) {
      if (!holes) {
        yield { offset, length }
        return
      }
      for (let at = offset; at < offset + length;) {
        const end = Math.min(at + 4096 - (at % 4096), offset + length)
        if (bytes.subarray(at, end).some((byte) => byte !== 0)) yield { offset: at, length: end - at }
        at = end
      }
    },
  }
}

export interface FileSource extends BlockSource, AsyncDisposable {}

/** A file as a source. */
export async function fileSource(path: string): Promise<FileSource> {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    size,
    async read(offset, target) {
      for (let done = 0; done < target.length;) {
        const { bytesRead } = await file.read(target, done, target.length - done, offset + done)
        if (bytesRead === 0) throw new RangeError(`read of ${target.length} bytes at ${offset} leaves the source`)
        done += bytesRead
      }
    },
    async *data(offset, length) {
      yield { offset, length }
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
