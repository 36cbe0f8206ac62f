import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decompress, DecompressionError } from './decompress.js'
import { sniffCompression } from './magic.js'

async function* stream(bytes: Uint8Array, step = 1000, onEnd = () => {}) {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
  onEnd()
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const big = Buffer.alloc(3_000_000, 'not much to see here; ')

describe('decompress', () => {
  it('unpacks gzip, also of several members, and passes other bytes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array(),
        fc.uint8Array({ minLength: 1 }),
        fc.integer({ min: 1, max: 50 }),
        async (a, b, step) => {
          const both = Buffer.concat([a, b])
          expect((await drain(decompress(stream(Buffer.concat([gzipSync(a), gzipSync(b)]), step)))).equals(both)).toBe(
            true,
          )
          if (sniffCompression(both) === 'none')
            expect((await drain(decompress(stream(both, step)))).equals(both)).toBe(true)
        },
      ),
      { numRuns: 30 },
    )
    expect((await drain(decompress(stream(gzipSync(big))))).equals(big)).toBe(true)
  })

  it.each(['BZh91AY', '\x1f\x8b', '(\xb5/\xfd'])('passes on a tar whose first name is %j', async (name) => {
    const header = Buffer.alloc(512)
    header.write(`${name}.txt`, 'latin1')
    header.write('0000644\0', 100)
    header.write('        0', 148)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const tar = Buffer.concat([header, Buffer.alloc(1024)])
    expect((await drain(decompress(stream(tar, 100)))).equals(tar)).toBe(true)
  })

  it.skipIf(!existsSync('/usr/bin/xz'))('refuses xz data that asks for more memory than real files do', async () => {
    const greedy = execFileSync('xz', ['-c', '--lzma2=dict=1GiB'], { input: 'x' })
    await expect(drain(decompress(stream(greedy)))).rejects.toThrow('xz data that takes more than 536870912 bytes')
    const usual = execFileSync('xz', ['-9c'], { input: big })
    expect((await drain(decompress(stream(usual)))).equals(big)).toBe(true)
  })

  it.skipIf(!existsSync('/usr/bin/zstd'))(
    'refuses zstd data that asks for more memory than real files do',
    async () => {
      // magic number, a frame header with a window of 1 GiB (RFC 8878, 3.1.1.1.2), an empty last block
      const greedy = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (30 - 10) << 3, 1, 0, 0)
      await expect(drain(decompress(stream(greedy)))).rejects.toThrow('zstd data that takes more than 536870912 bytes')
      const long = execFileSync('zstd', ['-qc', '--long=27'], { input: big })
      expect((await drain(decompress(stream(long)))).equals(big)).toBe(true)
    },
  )

  it('reads its source to the end when bytes follow the compressed data', async () => {
    for (const padding of [1, 4096, 500_000]) {
      let ended = false
      const padded = Buffer.concat([gzipSync(big), Buffer.alloc(padding)])
      expect((await drain(decompress(stream(padded, 1000, () => (ended = true))))).equals(big)).toBe(true)
      expect(ended).toBe(true)
    }
  })

  it('says that data is broken or cut off', async () => {
    const packed = gzipSync(big)
    const broken = Buffer.from(packed)
    broken.fill(0xff, 100, 200)
    for (const bad of [broken, packed.subarray(0, -10), packed.subarray(0, 30)]) {
      await expect(drain(decompress(stream(bad)))).rejects.toThrow(DecompressionError)
    }
  })

  it('hands on what the source throws', async () => {
    async function* failing() {
      yield* stream(gzipSync(big).subarray(0, 2000))
      throw new Error('the cable was cut')
    }
    await expect(drain(decompress(failing()))).rejects.toThrow('the cable was cut')
  })

  it('ends its source when the reader stops early', async () => {
    let closed = false
    async function* endless() {
      try {
        yield gzipSync(big).subarray(0, 3000)
        for (;;) yield Buffer.alloc(1000)
      } finally {
        closed = true
      }
    }
    for await (const _ of decompress(endless())) break
    expect(closed).toBe(true)
  })

  for (const [program, packageName] of [
    ['zstd', 'zstd'],
    ['xz', 'xz-utils'],
    ['bzip2', 'bzip2'],
  ] as const) {
    const missing = !existsSync(`/usr/bin/${program}`) && !existsSync(`/bin/${program}`)
    if (missing) console.warn(`skipped: ${program} is not installed (apt-get install ${packageName})`)
    it.skipIf(missing)(`unpacks ${program}, and says when it is broken`, async () => {
      const packed = execFileSync(program, ['-c'], { input: big, maxBuffer: 1e8 })
      expect((await drain(decompress(stream(packed)))).equals(big)).toBe(true)
      const broken = Buffer.from(packed)
      broken.fill(0xff, 20, 40)
      await expect(drain(decompress(stream(broken)))).rejects.toThrow(DecompressionError)
      await expect(drain(decompress(stream(packed.subarray(0, -5))))).rejects.toThrow(DecompressionError)
      for await (const _ of decompress(stream(packed))) break
      const stop = AbortSignal.abort()
      await expect(drain(decompress(stream(packed), { signal: stop }))).rejects.toThrow('interrupted')
    })
  }
})
