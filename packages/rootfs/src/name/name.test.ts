import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { C2mError } from '@c2m/process'
import { decodeName, encodeName } from './bytes.js'
import { compareNames, comparePaths } from './order.js'
import { cleanPath, joinPath } from './path.js'
import { LinkBudget, resolveSync, type Found, type Step } from './resolution.js'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .array(fc.constantFrom(0x61, 0x2f, 0x80, 0xc3, 0xa4, 0xed, 0xa0, 0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd, 0xff))
    .map((list) => Uint8Array.from(list)),
)

describe('names', () => {
  it('keep every byte', () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        expect([...encodeName(decodeName(raw))]).toEqual([...raw])
      }),
    )
  })

  it('are UTF-8, and lone surrogates where they are not', () => {
    expect(decodeName(Buffer.from('grün 😀 \ufffd'))).toBe('grün 😀 \ufffd')
    expect(decodeName(Uint8Array.of(0x61, 0xff, 0xc3))).toBe('a\udcff\udcc3')
    expect(decodeName(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('\udced\udca0\udc80')
    expect(() => encodeName('\ud800')).toThrow(C2mError)
  })

  it('are ordered by their bytes', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareNames(decodeName(a), decodeName(b)))).toBe(Buffer.compare(a, b))
      }),
    )
  })

  it('are ordered by their directories first', () => {
    const paths = ['', 'a', 'a/b', 'a/b/c', 'a-', 'a.b/c', 'ab', 'b']
    expect([...paths].reverse().sort(comparePaths)).toEqual(paths)
  })
})

describe('cleanPath', () => {
  it.each([
    ['../x', 'x'],
    ['/abs', 'abs'],
    ['a/../../b', 'b'],
    ['./a', 'a'],
    ['a//b', 'a/b'],
    ['a/./b/', 'a/b'],
    ['', ''],
    ['./', ''],
    ['..', ''],
    ['...', '...'],
    ['.a/..b', '.a/..b'],
  ])('takes %j for %j', (path, clean) => expect(cleanPath(path)).toBe(clean))

  it('never leaves the root', () => {
    const part = fc.constantFrom('..', '.', '', 'a', 'b')
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const clean = cleanPath(parts.join('/'))
        expect(clean === '' || clean.split('/').every((name) => name === 'a' || name === 'b')).toBe(true)
      }),
    )
  })

  it('refuses what no file system holds', () => {
    for (const path of ['a\0b', 'x'.repeat(256), 'ä'.repeat(128), 'a/'.repeat(2049)]) {
      expect(() => cleanPath(path)).toThrow(C2mError)
    }
    expect(cleanPath('x'.repeat(255))).toHaveLength(255)
  })
})

describe('resolution', () => {
  const tree: Record<string, Found> = {
    usr: { type: 'directory' },
    'usr/lib': { type: 'directory' },
    'usr/lib/x': { type: 'file' },
    lib: { type: 'symlink', linkTarget: 'usr/lib' },
    up: { type: 'symlink', linkTarget: '/usr/../../../lib/x' },
    loop: { type: 'symlink', linkTarget: 'loop/a' },
    dangling: { type: 'symlink', linkTarget: 'no/where' },
  }
  class Named implements Step<Named> {
    constructor(private readonly at: string) {}

    get type() {
      return this.at === '' ? 'directory' : tree[this.at]!.type
    }

    get linkTarget() {
      return tree[this.at]?.linkTarget
    }

    child(name: string): Named | undefined {
      const path = joinPath(this.at, name)
      return path in tree ? new Named(path) : undefined
    }
  }
  const resolve = (path: string, followLast = true, keepMissing = false): unknown => {
    const found = resolveSync(new Named(''), path, { followLast, keepMissing }, new LinkBudget())
    return 'path' in found ? { outcome: found.outcome, path: found.path } : found
  }

  it('follows links inside the tree', () => {
    expect(resolve('lib/x')).toEqual({ outcome: 'found', path: 'usr/lib/x' })
    expect(resolve('up')).toEqual({ outcome: 'found', path: 'usr/lib/x' })
    expect(resolve('up', false)).toEqual({ outcome: 'found', path: 'up' })
  })

  it('ends in loops, files and nowhere', () => {
    expect(resolve('loop')).toEqual({ outcome: 'loop' })
    expect(resolve('usr/lib/x/y')).toEqual({ outcome: 'not a directory', path: 'usr/lib/x' })
    expect(resolve('dangling')).toEqual({ outcome: 'missing', path: 'no' })
    expect(resolve('dangling', true, true)).toEqual({ outcome: 'missing', path: 'no/where' })
  })

  it('takes no more names from links than a sound tree has', () => {
    const far = `${'usr/../'.repeat(800)}usr`
    const links: Record<string, Found> = { ...tree, a: { type: 'symlink', linkTarget: `${far}/../b` } }
    links.b = { type: 'symlink', linkTarget: `${far}/../c` }
    links.c = { type: 'symlink', linkTarget: `${far}/../usr` }
    Object.assign(tree, links)
    expect(() => resolve('a/lib/x')).toThrow(expect.objectContaining({ code: 'C2M_LINKS_TOO_LONG' }))
    expect(resolve('b/lib/x')).toEqual({ outcome: 'found', path: 'usr/lib/x' })
    const budget = new LinkBudget()
    expect(() => {
      for (let count = 0; count < 20_000; count++) resolveSync(new Named(''), 'c/lib', { followLast: true }, budget)
    }).toThrow('of the whole tree')
  })
})
