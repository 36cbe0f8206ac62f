import { describe, expect, it } from 'vitest'
import { randomnessFrom, reproducibility } from './randomness.js'

const options = { env: {}, imageDigest: 'sha256:abc', imageTime: 1000, now: 5_000_000 }

describe('reproducibility', () => {
  it('gives the same bytes for the same seed and label, and other bytes otherwise', () => {
    const hex = (seed: string, label: string) => Buffer.from(randomnessFrom(seed)(label, 80)).toString('hex')
    expect(hex('a', 'x')).toBe(hex('a', 'x'))
    expect(hex('a', 'x')).not.toBe(hex('b', 'x'))
    expect(hex('a', 'x')).not.toBe(hex('a', 'y'))
    expect(hex('a', 'x')).toHaveLength(160)
    expect(randomnessFrom('a')('x', 5)).toEqual(randomnessFrom('a')('x', 80).subarray(0, 5))
  })

  it('takes the time of now without a seed, and the image’s with one', () => {
    expect(reproducibility(options).epoch).toBe(5000)
    expect(reproducibility({ ...options, seed: 's' }).epoch).toBe(1000)
  })

  it('honours SOURCE_DATE_EPOCH, which alone makes everything fixed', () => {
    const env = { SOURCE_DATE_EPOCH: '77' }
    const [one, two] = [reproducibility({ ...options, env }), reproducibility({ ...options, env })]
    expect(one.epoch).toBe(77)
    expect(one.packageEpoch).toBe(77)
    expect(one.random('x', 8)).toEqual(two.random('x', 8))
  })

  it.each(['soon', '-1', '1e9', '9007199254740991'])('refuses SOURCE_DATE_EPOCH=%s', (text) => {
    const env = { SOURCE_DATE_EPOCH: text }
    expect(() => reproducibility({ ...options, env })).toThrow(
      expect.objectContaining({ code: 'C2M_SOURCE_DATE_EPOCH' }),
    )
  })

  it('never gives a shared package layer the time of this run', () => {
    expect(reproducibility(options).packageEpoch).toBe(1000)
  })
})
