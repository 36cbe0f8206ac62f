import { describe, expect, it } from 'vitest'
import { parseEnvironment, parseLimits, parseVolume } from './shell.js'

describe('parseVolume', () => {
  it.each([
    ['./data:/data', { source: './data', target: '/data', readOnly: false }],
    ['/a:b:/c:ro', { source: '/a:b', target: '/c', readOnly: true }],
    ['/a:/c:rw', { source: '/a', target: '/c', readOnly: false }],
  ])('reads %j', (text, volume) => {
    expect(parseVolume(text)).toEqual(volume)
  })
  it.each(['/data', ':/data', '/a:b', '/a:/b:no', ''])('refuses %j', (text) => {
    expect(() => parseVolume(text)).toThrow(/is no volume/)
  })
})

it('takes variables with values, or those of this process', () => {
  expect(parseEnvironment(['A=1=2', 'B', 'C', 'D='], { B: 'own' })).toEqual({ A: '1=2', B: 'own', D: '' })
  expect(() => parseEnvironment(['=x'], {})).toThrow(/is no variable/)
})

it('reads limits', () => {
  expect(parseLimits({ memory: '512M', cpus: '1.5', pids: 100 })).toEqual({
    memory: 512 * 2 ** 20,
    cpus: 1.5,
    pids: 100,
  })
  expect(parseLimits({})).toEqual({})
  expect(() => parseLimits({ cpus: '0' })).toThrow(/no number of processors/)
})
