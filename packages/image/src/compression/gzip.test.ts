import { crc32, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinCrc32 } from './crc32.js'
import { gzip, type GzipOptions } from './gzip.js'

/** Text that compresses, with repetitions across the borders of blocks, and noise that does not. */
function sample(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[at] = at % 300_000 < 200_000 ? (at * 7 + (at >> 9)) & 0x3f : state >>> 24
  }
  return bytes
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function packed(source: AsyncIterable<Uint8Array>, options?: GzipOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of gzip(source, options)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('gzip', () => {
  it('gives back what went in, for every length about the borders of blocks', async () => {
    const block = 512 * 1024
    for (const length of [0, 1, 1000, block - 1, block, block + 1, 2 * block, 5 * block + 12345]) {
      const data = sample(length)
      const gz = await packed(chunked(data, 100_000), { workers: 2 })
      expect(gunzipSync(gz).equals(data), `${length} bytes`).toBe(true)
      expect(gz.subarray(0, 10)).toEqual(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]))
    }
  })

  it('gives the same bytes for any number of workers and any chunks', async () => {
    const data = sample(3_000_000)
    const one = await packed(chunked(data, 1 << 20), { workers: 1, level: 1 })
    expect((await packed(chunked(data, 777), { workers: 3, level: 1 })).equals(one)).toBe(true)
    expect((await packed(chunked(data, 777), { workers: 3, level: 9 })).equals(one)).toBe(false)
  })

  it('takes data that does not shrink', async () => {
    const noise = sample(4_000_000).filter((_, at) => at % 300_000 >= 200_000)
    expect(gunzipSync(await packed(chunked(noise, 50_000))).equals(Buffer.from(noise))).toBe(true)
  })

  it('reads only a little ahead of its reader', async () => {
    let read = 0
    async function* endless() {
      for (;;) {
        read += 1 << 19
        yield new Uint8Array(1 << 19)
      }
    }
    const stream = gzip(endless(), { workers: 2 })
    for (let count = 0; count < 3; count++) await stream.next()
    await stream.return(undefined)
    expect(read).toBeLessThan(16 << 19)
  })

  it('passes on what the source throws, and stops when interrupted', async () => {
    async function* broken() {
      yield sample(2_000_000)
      throw new Error('the disk is gone')
    }
    await expect(packed(broken())).rejects.toThrow('the disk is gone')
    const controller = new AbortController()
    async function* interrupting() {
      for (let count = 0; ; count++) {
        if (count === 4) controller.abort()
        yield sample(600_000)
      }
    }
    await expect(packed(interrupting(), { signal: controller.signal })).rejects.toThrow('interrupted')
  })
})

describe('joinCrc32', () => {
  it('is the CRC of the joined data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
        expect(joinCrc32(crc32(first), crc32(second), second.length)).toBe(crc32(Buffer.concat([first, second])))
      }),
    )
  })

  it('takes lengths beyond 4 GiB', () => {
    const length = 1 << 20
    const zeros = crc32(Buffer.alloc(length))
    let joined = crc32(Buffer.from('begin'))
    let step = joined
    for (let count = 0; count < 4100; count++) step = joinCrc32(step, zeros, length)
    let block = zeros
    for (let count = 1; count < 4100; count++) block = joinCrc32(block, zeros, length)
    joined = joinCrc32(joined, block, 4100 * length)
    expect(joined).toBe(step)
  })
})
