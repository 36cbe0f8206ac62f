import { describe, expect, it } from 'vitest'
import { freeRange, ownRange, parseRanges } from './id-mapping.js'

describe('subordinate ids', () => {
  const text = '# comment\nalice:100000:65536\n1001:165536:65536\nbob:300000:1000\nbob:400000:70000\nodd line\nx:y:z\n'

  it('are read as subuid(5) has them', () => {
    expect(parseRanges(text)).toEqual([
      { owner: 'alice', first: 100_000, count: 65_536 },
      { owner: '1001', first: 165_536, count: 65_536 },
      { owner: 'bob', first: 300_000, count: 1000 },
      { owner: 'bob', first: 400_000, count: 70_000 },
    ])
  })

  it('are found by name or by id, when there are enough', () => {
    const ranges = parseRanges(text)
    expect(ownRange(ranges, { name: 'alice', uid: 1000 })).toBe(100_000)
    expect(ownRange(ranges, { name: 'carol', uid: 1001 })).toBe(165_536)
    expect(ownRange(ranges, { name: 'bob', uid: 1002 })).toBe(400_000)
    expect(ownRange(ranges, { name: 'dave', uid: 1003 })).toBeUndefined()
    // the host's root among them would be no protection
    expect(ownRange(parseRanges('root:0:4294967295'), { name: 'root', uid: 0 })).toBeUndefined()
  })

  it("of root without an entry are nobody else's", () => {
    expect(freeRange([])).toBe(0x70000000)
    expect(freeRange(parseRanges(`x:${0x70000000 + 65535}:2`))).toBe(0x70000000 + 2 * 65536)
    expect(() => freeRange(parseRanges('x:0:4294967295'))).toThrow(expect.objectContaining({ code: 'C2M_SANDBOX_IDS' }))
  })
})
