import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { compareReleases, compareVersions, parseVersion } from './version.js'

describe('versions', () => {
  it('are numbers', () => {
    expect(parseVersion('24.04')).toEqual([24, 4])
    expect(parseVersion('12 (bookworm)')).toBeUndefined()
    expect(compareVersions([3, 9], [3, 19])).toBeLessThan(0)
    expect(compareVersions([12], [12, 0])).toBe(0)
  })
})

describe('compareReleases', () => {
  it('orders kernels as a person does', () => {
    const sorted = ['6.1.0-10-amd64', '6.1.0-9-amd64', '6.12.107+deb13-amd64', '6.1~rc3-amd64', '6.1.0-9-cloud-amd64']
    sorted.sort(compareReleases)
    expect(sorted).toEqual([
      '6.1~rc3-amd64',
      '6.1.0-9-amd64',
      '6.1.0-9-cloud-amd64',
      '6.1.0-10-amd64',
      '6.12.107+deb13-amd64',
    ])
  })
  it('is an order', () => {
    const release = fc.string({ unit: fc.constantFrom('1', '0', '9', '.', '-', '~', 'a', '+'), maxLength: 8 })
    fc.assert(
      fc.property(release, release, release, (a, b, c) => {
        expect(Math.sign(compareReleases(a, b))).toBe(-Math.sign(compareReleases(b, a)) + 0)
        expect(compareReleases(a, b) === 0).toBe(a === b)
        if (compareReleases(a, b) < 0 && compareReleases(b, c) < 0) expect(compareReleases(a, c)).toBeLessThan(0)
      }),
    )
  })
})
