import { expect, it } from 'vitest'
import { parseExclude } from './exclude.js'

it('takes globs from the root on, however they begin', () => {
  const globs = ['etc/hosts', './etc/hosts', '/etc/hosts', '//etc/./hosts/', '..data/*', 'a/{b..,..c}', '/srv/**']
  const hosts = Array.from({ length: 4 }, () => '/etc/hosts')
  expect(parseExclude(globs)).toEqual([...hosts, '/..data/*', '/a/{b..,..c}', '/srv/**'])
})

it.each(['', '/', '.', './', '../etc', '/..', 'srv/../etc', 'srv/{..,a}/x', 'srv/..'])('refuses %j', (glob) => {
  expect(() => parseExclude(['/srv', glob])).toThrow(
    expect.objectContaining({
      code: 'C2M_GLOB_INVALID',
      exitCode: 2,
      message: expect.stringContaining(glob) as string,
    }),
  )
})
