import type { BlockTarget } from '@c2m/disk'

/** A target in memory that checks that no byte is written twice. */
export function memoryTarget(size: number): BlockTarget & { readonly bytes: Buffer } {
  const bytes = Buffer.alloc(size)
  const written = new Uint8Array(Math.ceil(size / 1024))
  return {
    size,
    bytes,
    async write(offset, data) {
      if (offset < 0 || offset + data.length > size)
        throw new RangeError(`write of ${data.length} bytes at ${offset} leaves the target`)
      const copy = Buffer.from(data)
      await Promise.resolve()
      for (let at = offset; at < offset + data.length; at += 1024) {
        const slot = Math.floor(at / 1024)
        if (written[slot] === 1) throw new Error(`byte ${at} is written twice`)
        written[slot] = 1
      }
      copy.copy(bytes, offset)
    },
  }
}
