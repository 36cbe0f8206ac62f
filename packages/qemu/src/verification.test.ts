import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shortcomings, VerificationReader, type Verification } from './verification.js'

const GOOD = 'c2m-verify 1\nstate=running\nfailed=\nroot=rw\naddresses=10.0.2.15 fec0::5054\nuptime=12.34\nend\n'

function read(text: string | Uint8Array): Verification | undefined {
  return new VerificationReader().push(Buffer.from(text))
}

describe('VerificationReader', () => {
  it('reads a complete message', () => {
    expect(read(GOOD)).toEqual({
      state: 'running',
      failed: [],
      root: 'rw',
      addresses: ['10.0.2.15', 'fec0::5054'],
      uptime: 12.34,
    })
  })

  it('reads it however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(GOOD.length), { maxLength: 6 }), (cuts) => {
        const reader = new VerificationReader()
        const places = [0, ...cuts.sort((a, b) => a - b), GOOD.length]
        const answers = places.slice(1).map((end, i) => reader.push(Buffer.from(GOOD.slice(places[i], end))))
        expect(answers.findLast((answer) => answer !== undefined)?.state).toBe('running')
      }),
    )
  })

  it('waits for the end', () => {
    expect(read(GOOD.slice(0, -1))).toBeUndefined()
    expect(read('')).toBeUndefined()
    expect(read('c2m-ver')).toBeUndefined()
  })

  it.each([
    ['another version', GOOD.replace('verify 1', 'verify 2')],
    ['another program', 'login: \n'],
    ['a field that is missing', GOOD.replace('root=rw\n', '')],
    ['a field twice', GOOD.replace('root=rw\n', 'root=rw\nroot=rw\n')],
    ['an unknown field', GOOD.replace('root=rw\n', 'root=rw\nshell=sh\n')],
    ['a line without =', GOOD.replace('root=rw\n', 'root=rw\n\n')],
    ['a state that is no word', GOOD.replace('running', 'running\u001b[2J')],
    ['a name of Object.prototype', GOOD.replace('root=rw\n', 'root=rw\nconstructor=1\n')],
    ['a unit with an escape', GOOD.replace('failed=', 'failed=a\u001b.service')],
    ['a root that is neither', GOOD.replace('root=rw', 'root=rwx')],
    ['an address that is none', GOOD.replace('10.0.2.15', '10.0.2.256')],
    ['an uptime that is no number', GOOD.replace('12.34', '1e9')],
    ['carriage returns', GOOD.replaceAll('\n', '\r\n')],
  ])('refuses %s', (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'C2M_VERIFY_MESSAGE' }))
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => read(Uint8Array.of(0x63, 0xff, 0xfe))).toThrow(/UTF-8/)
  })

  it('refuses a message without end', () => {
    const reader = new VerificationReader()
    reader.push(Buffer.from('c2m-verify 1\nfailed='))
    expect(() => {
      for (let i = 0; i < 100; i++) reader.push(Buffer.alloc(1024, 'a'))
    }).toThrow(/longer than/)
  })

  it('answers or refuses any bytes with its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(GOOD.length), (noise, place) => {
        const text = Buffer.concat([Buffer.from(GOOD.slice(0, place)), noise, Buffer.from(GOOD.slice(place))])
        try {
          read(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'C2M_VERIFY_MESSAGE' })
        }
      }),
    )
  })
})

describe('shortcomings', () => {
  const good: Verification = { state: 'running', failed: [], root: 'rw', addresses: ['192.168.1.5'], uptime: 1 }

  it('finds none in a machine that is up', () => {
    expect(shortcomings(good, true)).toEqual([])
    expect(shortcomings({ ...good, addresses: [] }, false)).toEqual([])
  })

  it.each([
    [{ state: 'degraded', failed: ['ssh.service'] }, /ssh\.service/],
    [{ state: 'degraded' }, /'degraded'/],
    [{ failed: ['a.mount'] }, /a\.mount/],
    [{ root: 'ro' as const }, /read-only/],
    [{ addresses: [] }, /no address/],
    [{ addresses: ['127.0.0.1', '::1', '169.254.3.4', 'fe80::1'] }, /no address/],
  ])('finds %j', (change, expected) => {
    expect(shortcomings({ ...good, ...change }, true).join()).toMatch(expected)
  })
})
