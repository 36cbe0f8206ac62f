import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { watchLimits } from './step-limits.js'

async function ended(limits: { seconds: number; reserve: number }): Promise<unknown> {
  let ends = 0
  using watch = watchLimits({ ...limits, cache: tmpdir() }, () => ends++)
  await sleep(1700)
  expect(ends).toBeLessThanOrEqual(1)
  try {
    watch.throwIfExceeded('unpack')
    return undefined
  } catch (error) {
    return error
  }
}

describe('a step of the package step', () => {
  it('is ended once, after its time', async () => {
    expect(await ended({ seconds: 0.1, reserve: 0 })).toMatchObject({
      code: 'C2M_SANDBOX_LIMIT',
      message: '"unpack" was ended after 0.1 s, its limit',
    })
  })
  it('is ended before the cache’s file system is full', async () => {
    expect(String(await ended({ seconds: 60, reserve: Number.MAX_SAFE_INTEGER }))).toContain('almost full')
  })
  it('is left alone otherwise', async () => {
    expect(await ended({ seconds: 60, reserve: 0 })).toBeUndefined()
  })
})
