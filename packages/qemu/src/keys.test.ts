import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyReader } from './keys.js'

function type(...chunks: string[]): { data: string; commands: string[] } {
  const reader = new KeyReader()
  const read = chunks.map((chunk) => reader.read(Buffer.from(chunk)))
  return {
    data: Buffer.concat(read.map((r) => r.data)).toString(),
    commands: read.flatMap((r) => r.commands),
  }
}

describe('KeyReader', () => {
  it('finds commands, also in two pieces', () => {
    expect(type('ls\r\x01x')).toEqual({ data: 'ls\r', commands: ['leave'] })
    expect(type('ls\r\x01', 'p')).toEqual({ data: 'ls\r', commands: ['power'] })
  })

  it('types one Ctrl-a for two, and for Ctrl-a a', () => {
    expect(type('\x01\x01x')).toEqual({ data: '\x01x', commands: [] })
    expect(type('\x01ax')).toEqual({ data: '\x01x', commands: [] })
  })

  it('passes everything else unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const plain = bytes.filter((byte) => byte !== 1)
        expect(new KeyReader().read(plain)).toEqual({ data: plain, commands: [] })
      }),
    )
    expect(type('\x01z')).toEqual({ data: '\x01z', commands: [] })
  })
})
