import fc from 'fast-check'
import type { RootfsEdit } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import { parentOf } from '../name/path.js'
import {
  codeOf,
  describeTree,
  hardLink,
  member,
  merged,
  readContents,
  symlink,
  temporaryFolder,
} from '../testing/fixtures.js'
import { editRootfs } from './edit.js'

const folder = temporaryFolder()
const text = (content: string): Buffer => Buffer.from(content)
const BASE = [
  member('etc/'),
  member('etc/hosts', { content: 'hosts' }),
  member('usr/bin/'),
  member('usr/bin/perl', { content: 'perl' }),
  hardLink('usr/bin/perl5', 'usr/bin/perl'),
  symlink('bin', 'usr/bin'),
]

async function edited(change: (edit: RootfsEdit) => Promise<void>): Promise<{ lines: string[]; changes: string[] }> {
  await using base = await merged(folder, BASE)
  const before = await describeTree(base)
  const edit = editRootfs(base, { time: { seconds: 5, nanoseconds: 0 } })
  await change(edit)
  const lines = await describeTree(edit)
  expect(await describeTree(base)).toEqual(before)
  return { lines, changes: edit.changes.map(({ kind, path }) => `${kind} ${path}`) }
}

describe('editRootfs', () => {
  it('shows the base until something changes', async () => {
    await using base = await merged(folder, BASE)
    expect(await describeTree(editRootfs(base))).toEqual(await describeTree(base))
    expect([...(await readContents(editRootfs(base)))]).toEqual([...(await readContents(base))])
  })

  it('adds and replaces files, and makes parents', async () => {
    const { lines, changes } = await edited(async (edit) => {
      await edit.put({ path: 'etc/hosts', type: 'file', mode: 0o600 }, text('new'))
      await edit.put({ path: 'var/lib/c2m/x', type: 'file', mode: 0o644 }, text('x'))
      expect(await edit.stat('var/lib')).toMatchObject({ mode: 0o755, uid: 0, mtime: { seconds: 5, nanoseconds: 0 } })
      expect(await edit.list('')).toEqual(['bin', 'etc', 'usr', 'var'])
    })
    expect(lines).toContain('etc/hosts file 600 "new" 1x etc/hosts')
    expect(lines).toContain('var/lib/c2m/x file 644 "x" 1x var/lib/c2m/x')
    expect(changes).toEqual([
      'changed etc/hosts',
      'added var',
      'added var/lib',
      'added var/lib/c2m',
      'added var/lib/c2m/x',
    ])
  })

  it('replaces one name of a hard-link group only', async () => {
    const { lines } = await edited((edit) => edit.put({ path: 'bin/perl', type: 'file', mode: 0o755 }, text('6')))
    expect(lines).toContain('usr/bin/perl file 755 "6" 1x usr/bin/perl')
    expect(lines).toContain('usr/bin/perl5 file 644 "perl" 1x usr/bin/perl5')
  })

  it('gives the body of a group by a name that is left', async () => {
    await using base = await merged(folder, BASE)
    const edit = editRootfs(base)
    await edit.remove('usr/bin/perl')
    expect([...(await readContents(edit))]).toEqual([
      ['etc/hosts', 'hosts'],
      ['usr/bin/perl5', 'perl'],
    ])
    await edit.remove('usr/bin/perl5')
    expect([...(await readContents(edit)).keys()]).toEqual(['etc/hosts'])
  })

  it('links files of the base and its own', async () => {
    const { lines } = await edited(async (edit) => {
      await edit.link('bin/perl', 'etc/p')
      await edit.remove('usr/bin/perl')
      await edit.put({ path: 'one', type: 'file', mode: 0o644 }, text('1'))
      await edit.link('one', 'two')
      await edit.remove('one')
      await edit.link('two', 'three')
    })
    expect(lines).toContain('etc/p file 644 "perl" 2x etc/p')
    expect(lines).toContain('usr/bin/perl5 file 644 "perl" 2x etc/p')
    expect(lines).toContain('two file 644 "1" 2x three')
    expect(lines.join()).not.toContain('one')
  })

  it('removes directories with all below them, and hides that when they are made anew', async () => {
    const { lines, changes } = await edited(async (edit) => {
      await edit.remove('usr')
      await edit.remove('nothing/here')
      await edit.put({ path: 'usr/bin/new', type: 'file', mode: 0o644 }, text(''))
    })
    expect(lines.filter((line) => line.startsWith('usr'))).toEqual([
      'usr directory 755',
      'usr/bin directory 755',
      'usr/bin/new file 644 "" 1x usr/bin/new',
    ])
    expect(changes).toEqual([
      'changed usr',
      'changed usr/bin',
      'added usr/bin/new',
      'removed usr/bin/perl',
      'removed usr/bin/perl5',
    ])
  })

  it('changes a directory and keeps what it holds, the root too', async () => {
    const { lines } = await edited(async (edit) => {
      await edit.put({ path: 'etc', type: 'directory', mode: 0o700 })
      await edit.put({ path: '', type: 'directory', mode: 0o555 })
    })
    expect(lines.slice(0, 4)).toEqual([
      '/ directory 555',
      'bin symlink 777 -> usr/bin 1x bin',
      'etc directory 700',
      'etc/hosts file 644 "hosts" 1x etc/hosts',
    ])
  })

  it('never leaves the tree', async () => {
    const { lines } = await edited(async (edit) => {
      await edit.put({ path: 'out', type: 'symlink', mode: 0o777, linkTarget: '../../../x' })
      await edit.put({ path: 'out/f', type: 'file', mode: 0o644 }, text('f'))
      await edit.put({ path: '../../g', type: 'file', mode: 0o644 }, text('g'))
      expect(await edit.resolve('out/f')).toBe('x/f')
    })
    expect(lines).toContain('x/f file 644 "f" 1x x/f')
    expect(lines).toContain('g file 644 "g" 1x g')
  })

  it('replaces a link in the way of a directory, and what shone through it is gone', async () => {
    const { lines } = await edited(async (edit) => {
      await edit.put({ path: 'bin', type: 'directory', mode: 0o755 })
      await edit.put({ path: 'bin/perl', type: 'file', mode: 0o644 }, text('mine'))
      expect(edit.changes).toEqual([
        { path: 'bin', kind: 'changed' },
        { path: 'bin/perl', kind: 'added' },
      ])
    })
    expect(lines.slice(1, 3)).toEqual(['bin directory 755', 'bin/perl file 644 "mine" 1x bin/perl'])
  })

  it('works over another edit, with inodes of its own', async () => {
    await using base = await merged(folder, BASE)
    const lower = editRootfs(base)
    await lower.put({ path: 'l', type: 'file', mode: 0o644 }, text('l'))
    const upper = editRootfs(lower)
    await upper.put({ path: 'u', type: 'file', mode: 0o644 }, { size: 1, open: () => bodyOf('u') })
    const inodes: number[] = []
    for await (const entry of upper.walk()) inodes.push(entry.inode)
    expect(new Set(inodes).size).toBe(inodes.length - 1) // perl and perl5
    expect((await readContents(upper)).get('u')).toBe('u')
    expect((await readContents(upper)).get('l')).toBe('l')
  })

  it('refuses what cannot be', async () => {
    await using base = await merged(folder, BASE)
    const edit = editRootfs(base)
    const refused = [
      () => edit.put({ path: '', type: 'file', mode: 0o644 }),
      () => edit.put({ path: 'etc/hosts/x', type: 'file', mode: 0o644 }),
      () => edit.put({ path: 'd', type: 'directory', mode: 0o755 }, text('body')),
      () => edit.put({ path: 's', type: 'symlink', mode: 0o777 }),
      () => edit.put({ path: 'f', type: 'file', mode: 0o100644 }),
      () => edit.put({ path: 'f', type: 'file', mode: 0o644, uid: 2 ** 32 }),
      () => edit.link('no', 'x'),
      () => edit.link('etc', 'x'),
      () => edit.link('etc/hosts', 'usr'),
      () => edit.remove('/'),
    ]
    for (const attempt of refused) expect(await codeOf(attempt())).toBe('C2M_EDIT')
    expect(edit.changes).toEqual([])
  })
})

async function* bodyOf(content: string): AsyncGenerator<{ offset: number; data: Uint8Array }> {
  yield { offset: 0, data: Buffer.from(content) }
}

type Change =
  | { readonly do: 'file' | 'link'; readonly path: string; readonly to: string }
  | { readonly do: 'directory' | 'remove'; readonly path: string }

const path = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ do: fc.constant('file' as const), path, to: fc.stringMatching(/^[x-z]{2}$/) }),
  fc.record({ do: fc.constant('link' as const), path, to: path }),
  fc.record({ do: fc.constantFrom('directory' as const, 'remove' as const), path }),
)

/** Whole paths in a map; an edit that is refused changes nothing. */
class Model {
  readonly nodes = new Map<string, { mode: string; file?: { content: string } }>()

  apply(said: Change): boolean {
    const { nodes } = this
    const old = nodes.get(said.path)
    if (said.do === 'remove') {
      this.#drop(said.path)
      return true
    }
    if (said.do === 'link') {
      const from = nodes.get(said.path)
      const target = nodes.get(said.to)
      if (from?.file === undefined || !this.#makeParents(said.to)) return false
      if (target !== undefined && target.file === undefined) return false
      nodes.set(said.to, from)
      return true
    }
    if (!this.#makeParents(said.path)) return false
    if (said.do === 'file' || old?.file !== undefined) this.#drop(said.path)
    nodes.set(said.path, said.do === 'file' ? { mode: '644', file: { content: said.to } } : { mode: '711' })
    return true
  }

  lines(): string[] {
    const sorted = [...this.nodes.keys()].sort()
    const lines = sorted.map((at) => {
      const { mode, file } = this.nodes.get(at)!
      if (file === undefined) return `${at} directory ${mode}`
      const names = sorted.filter((other) => this.nodes.get(other)!.file === file)
      return `${at} file ${mode} ${JSON.stringify(file.content)} ${names.length}x ${names[0]}`
    })
    return ['/ directory 755', ...lines]
  }

  bodies(): Map<string, string> {
    const seen = new Set<unknown>()
    const bodies = new Map<string, string>()
    for (const at of [...this.nodes.keys()].sort()) {
      const { file } = this.nodes.get(at)!
      if (file !== undefined && !seen.has(file)) bodies.set(at, file.content)
      seen.add(file)
    }
    return bodies
  }

  #drop(at: string): void {
    for (const key of [...this.nodes.keys()]) if (key === at || key.startsWith(`${at}/`)) this.nodes.delete(key)
  }

  #makeParents(at: string): boolean {
    const parents: string[] = []
    for (let parent = parentOf(at); parent !== ''; parent = parentOf(parent)) parents.unshift(parent)
    if (parents.some((parent) => this.nodes.get(parent)?.file !== undefined)) return false
    for (const parent of parents) if (!this.nodes.has(parent)) this.nodes.set(parent, { mode: '755' })
    return true
  }
}

async function apply(edit: RootfsEdit, said: Change): Promise<void> {
  if (said.do === 'remove') await edit.remove(said.path)
  else if (said.do === 'link') await edit.link(said.path, said.to)
  else if (said.do === 'file') await edit.put({ path: said.path, type: 'file', mode: 0o644 }, text(said.to))
  else await edit.put({ path: said.path, type: 'directory', mode: 0o711 })
}

describe('any edits', () => {
  it('do what a plain list of paths would', async () => {
    await using empty = await merged(folder, [])
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 8 }),
        fc.array(change, { maxLength: 8 }),
        async (first, second) => {
          const model = new Model()
          const lower = editRootfs(empty)
          const upper = editRootfs(lower)
          for (const [edit, changes] of [
            [lower, first],
            [upper, second],
          ] as const) {
            for (const said of changes)
              expect(await codeOf(apply(edit, said))).toBe(model.apply(said) ? 'no error' : 'C2M_EDIT')
          }
          expect(await describeTree(upper)).toEqual(model.lines())
          expect(new Map([...(await readContents(upper))].sort())).toEqual(new Map([...model.bodies()].sort()))
          for (const { path: at, kind } of upper.changes) {
            expect({ at, isThere: (await upper.stat(at)) !== undefined }).toEqual({ at, isThere: kind !== 'removed' })
            expect({ at, was: (await lower.stat(at)) !== undefined }).toEqual({ at, was: kind !== 'added' })
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
