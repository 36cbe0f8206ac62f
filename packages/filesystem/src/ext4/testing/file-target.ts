import type { BlockTarget } from '@c2m/disk'
import { open } from 'node:fs/promises'

/** A sparse file of `size` bytes as a target, for tests. */
export async function fileTarget(
  path: string,
  size: number,
): Promise<BlockTarget & AsyncDisposable & { bytesWritten: number }> {
  const file = await open(path, 'w+')
  await file.truncate(size)
  const target = {
    size,
    bytesWritten: 0,
    async write(offset: number, data: Uint8Array): Promise<void> {
      if (offset < 0 || offset + data.length > size)
        throw new RangeError(`write of ${data.length} bytes at ${offset} leaves the target`)
      for (let done = 0; done < data.length;) {
        done += (await file.write(data, done, data.length - done, offset + done)).bytesWritten
      }
      target.bytesWritten += data.length
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
  return target
}
