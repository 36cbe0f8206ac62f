import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf } from '../testing/fixtures.js'
import { compileGlobs } from './globs.js'

describe('compileGlobs', () => {
  it.each([
    ['/boot', 'boot', true],
    ['/boot', 'boot/x', false],
    ['/boot/*', 'boot/x', true],
    ['/boot/*', 'boot', false],
    ['/boot/*', 'boot/x/y', false],
    ['/tmp/**', 'tmp', false],
    ['/tmp/**', 'tmp/a/b/c', true],
    ['/**/core', 'core', true],
    ['/**/core', 'a/b/core', true],
    ['/a/**/z', 'a/z', true],
    ['/a/**/z', 'a/b/c/z', true],
    ['/a/**/b/**/z', 'a/x/b/z', true],
    ['/a/**/b/**/z', 'a/x/c/z', false],
    ['/**', '', false],
    ['/', '', true],
    ['/home/*/.*_history', 'home/me/.bash_history', true],
    ['/a**z', 'abcz', true],
    ['/a**z', 'a/z', false],
    ['/{a,b/c}/x', 'b/c/x', true],
    ['/{a,b/c}/x', 'b/x', false],
    ['/x{1,2{3,4}}', 'x24', true],
    ['/x{1,2{3,4}}', 'x2', false],
    ['/x{1}', 'x{1}', true],
    ['/x{a,b', 'x{a,b', true],
    ['/x{,.old}', 'x', true],
    ['/[a-c]?', 'bz', true],
    ['/[!a-c]?', 'bz', false],
    ['/[]x]', ']', true],
    ['/[x', '[x', true],
    ['/\\*', '*', true],
    ['/\\*', 'x', false],
    ['/\\{a,b\\}', '{a,b}', true],
    ['/a?b', 'a\udc80b', true],
    ['/a?b', 'a😀b', true],
    ['/a*', 'a\udcff\udc80', true],
    ['/*\n*', 'a\nb', true],
    ['/./a/./b', 'a/b', true],
    ['/..a/b', '..a/b', true],
    // no path has such a part
    ['/a/../b', 'b', false],
  ])('%s and %s: %s', (glob, path, expected) => {
    expect(compileGlobs([glob])(path)).toBe(expected)
  })

  it('is refused when it is relative, endless or explodes', async () => {
    for (const glob of ['etc/x', `/${'x'.repeat(5000)}`, `/${'{a,b}'.repeat(20)}`]) {
      expect(await codeOf(Promise.resolve().then(() => compileGlobs([glob])))).toBe('C2M_GLOB_INVALID')
    }
  })

  it('does not slow down for hostile patterns and names', () => {
    const matches = compileGlobs([`/${'*a'.repeat(100)}b`, `/${'**/*a*/'.repeat(50)}z`])
    const start = performance.now()
    expect(matches('a'.repeat(250))).toBe(false)
    expect(matches(`${'a/'.repeat(1000)}y`)).toBe(false)
    expect(performance.now() - start).toBeLessThan(1000)
  })

  it('agrees with a regular expression', () => {
    const part = fc.stringMatching(/^[ab*?]{1,4}$/).filter((text) => !text.includes('**'))
    const glob = fc.array(fc.oneof(part, fc.constant('**')), { minLength: 1, maxLength: 4 })
    const path = fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(glob, path, (parts, names) => {
        const source = parts.map((text, at) => {
          if (text !== '**') return `/${text.replaceAll('?', '[^/]').replaceAll('*', '[^/]*')}`
          return at === parts.length - 1 ? '(/[^/]+)+' : '(/[^/]+)*'
        })
        const expected = new RegExp(`^${source.join('')}$`).test(`/${names.join('/')}`)
        expect(compileGlobs([`/${parts.join('/')}`])(names.join('/'))).toBe(expected)
      }),
    )
  })
})
