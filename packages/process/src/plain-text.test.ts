import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainText } from './plain-text.js'

describe('plainText', () => {
  it('takes out escape sequences and control characters', () => {
    expect(plainText('\x1b[0;1;32mok\x1b[0m \x1b]0;title\x07\x1b(Bx\x07\x9b2J\r\n')).toBe('ok x2J\n')
  })

  it('leaves no control character but newline and tab', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(text)).toMatch(/^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$/)
      }),
    )
  })

  it('needs no more than linear time for an escape without end', () => {
    const started = performance.now()
    plainText('\x1b]'.repeat(200_000))
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
