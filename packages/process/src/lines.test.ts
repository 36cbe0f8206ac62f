import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CUT_MARK, LINE_LIMIT, lineReader, LineSplitter, linesOf, onLine } from './lines.js'

function split(...chunks: (string | Uint8Array)[]): string[] {
  const splitter = new LineSplitter()
  const lines = chunks.flatMap((chunk) => [...splitter.push(chunk)])
  const rest = splitter.end()
  return rest === undefined ? lines : [...lines, rest]
}

describe('LineSplitter', () => {
  it('ends lines at LF, CRLF and CR, also where pieces end', () => {
    expect(split('a\nb\r\nc\rd\n\ne')).toEqual(['a', 'b', 'c', 'd', '', 'e'])
    expect(split('a\r', '\nb\r', 'c\r', '', '\n', '\nd')).toEqual(['a', 'b', 'c', '', 'd'])
    expect(split()).toEqual([])
    expect(split('a\n')).toEqual(['a'])
  })

  it('gives the same lines however the bytes are cut into pieces', () => {
    const text = fc.stringMatching(/^[aä€😀\r\n]{0,40}$/u)
    fc.assert(
      fc.property(text, fc.array(fc.nat(160), { maxLength: 8 }), (whole, cuts) => {
        const bytes = Buffer.from(whole)
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
        expect(split(...pieces)).toEqual(split(whole))
        const lines = whole.split(/\r\n|\n|\r/)
        expect(split(whole)).toEqual(lines.at(-1) === '' ? lines.slice(0, -1) : lines)
      }),
    )
  })

  it('cuts a line at 64 KiB, at the end of a character, and goes on with the next', () => {
    expect(split('x'.repeat(LINE_LIMIT) + '\nnext')).toEqual(['x'.repeat(LINE_LIMIT), 'next'])
    expect(split('x'.repeat(LINE_LIMIT + 1) + '\nnext')).toEqual(['x'.repeat(LINE_LIMIT) + CUT_MARK, 'next'])
    for (const [character, before] of [
      ['ä', 1],
      ['€', 2],
      ['😀', 3],
    ] as const) {
      const start = 'x'.repeat(LINE_LIMIT - before)
      expect(split(`${start}${character}\r\nnext`)).toEqual([start + CUT_MARK, 'next'])
    }
    expect(split(Buffer.alloc(LINE_LIMIT + 1, 0x80))[0]).toHaveLength(LINE_LIMIT + CUT_MARK.length)
  })

  it('holds a bounded amount of a line without end', () => {
    const splitter = new LineSplitter()
    const chunk = Buffer.alloc(1024 * 1024, 'A')
    const before = process.memoryUsage.rss()
    for (let count = 0; count < 400; count++) expect([...splitter.push(chunk)]).toEqual([])
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024)
    expect(splitter.end()).toBe('A'.repeat(LINE_LIMIT) + CUT_MARK)
  })
})

describe('lines of a stream', () => {
  it('are read one at a time, and end with the stream', async () => {
    const reader = lineReader(Readable.from([Buffer.from('one\ntw'), Buffer.from('o\nthree')]))
    expect([await reader.nextLine(), await reader.nextLine(), await reader.nextLine()]).toEqual(['one', 'two', 'three'])
    expect(await reader.nextLine()).toBeUndefined()
    const broken = new PassThrough()
    broken.destroy(new Error('gone'))
    await expect(linesOf(broken).next()).rejects.toThrow('gone')
  })

  it('are given to a callback before the stream closes, the last one too', async () => {
    const stream = new PassThrough()
    const lines: string[] = []
    const ended = onLine(stream, (line) => lines.push(line))
    stream.end('one\ntwo')
    await once(stream, 'close')
    expect(lines).toEqual(['one', 'two'])
    await ended
    const broken = new PassThrough()
    const rest = onLine(broken, (line) => lines.push(line))
    broken.write('three')
    setImmediate(() => broken.destroy(new Error('gone')))
    await rest
    expect(lines.at(-1)).toBe('three')
  })

  it('whose callback throws end in a rejection, not in an error of the stream', async () => {
    const stream = new PassThrough()
    let calls = 0
    const ended = onLine(stream, () => {
      calls++
      throw new Error('not understood')
    })
    stream.write('one\ntwo\n')
    stream.end('three')
    await expect(ended).rejects.toThrow('not understood')
    await once(stream, 'close')
    expect(calls).toBe(1)
  })
})
