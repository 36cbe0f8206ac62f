import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exportsOf } from './environment.js'

describe('exportsOf', () => {
  it('gives a shell exactly the values', () => {
    const value = fc.string({
      unit: fc.constantFrom("'", '"', '$', '`', '\\', '\n', ' ', 'a', '(', ';', '#', '~', 'ß'),
    })
    fc.assert(
      fc.property(value, (text) => {
        const script = `${exportsOf({ A: text }, () => undefined)}env -0`
        const output = execFileSync('sh', ['-c', script], { env: { PATH: process.env.PATH }, encoding: 'utf8' })
        expect(output.split('\0')).toContain(`A=${text}`)
      }),
      { numRuns: 30 },
    )
  })
  it('leaves out what no shell can set, and says so', () => {
    const left: string[] = []
    expect(exportsOf({ 'a.b': '1', UID: '2', 'x;id': '3', OK: "it's" }, (name) => left.push(name))).toBe(
      "export OK='it'\\''s'\n",
    )
    expect(left).toEqual(['a.b', 'UID', 'x;id'])
  })
})
