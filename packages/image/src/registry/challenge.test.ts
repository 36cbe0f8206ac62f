import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChallenges } from './challenge.js'

const parsed = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }))

describe('parseChallenges', () => {
  it.each([
    ['Basic realm="r"', [{ scheme: 'basic', realm: 'r' }]],
    [
      'Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push"',
      [
        {
          scheme: 'bearer',
          realm: 'https://auth.example.com/token',
          service: 'registry',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
    [
      'Bearer realm="a \\"quoted\\" \\\\ one" , error=invalid_token',
      [{ scheme: 'bearer', realm: 'a "quoted" \\ one', error: 'invalid_token' }],
    ],
    [
      'Bearer realm="x", Basic realm="y"',
      [
        { scheme: 'bearer', realm: 'x' },
        { scheme: 'basic', realm: 'y' },
      ],
    ],
    ['Negotiate, BASIC Realm = "y"', [{ scheme: 'negotiate' }, { scheme: 'basic', realm: 'y' }]],
    ['Bearer realm="first",realm="second"', [{ scheme: 'bearer', realm: 'first' }]],
    ['Bearer realm="never closed', [{ scheme: 'bearer', realm: 'never closed' }]],
    ['', []],
    [',,, "', []],
  ])('%s', (header, expected) => {
    expect(parsed(header)).toEqual(expected)
  })

  it('takes any text without failing or hanging', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[a-z="\\, ]{0,60}$/)),
        (text) => void parseChallenges(text),
      ),
    )
    parseChallenges('a='.repeat(1_000_000))
  })
})
