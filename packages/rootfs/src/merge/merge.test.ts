import { truncate } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parentOf } from '../name/path.js'
import type { TarInput } from '../tar/member.js'
import {
  codeOf,
  describeTree,
  hardLink,
  layer,
  member,
  merged,
  readContents,
  symlink,
  temporaryFolder,
} from '../testing/fixtures.js'
import { indexLayer } from '../layer/layer.js'
import { archiveRootfs, mergeLayers } from './merge.js'

const folder = temporaryFolder()

async function tree(...layers: TarInput[][]): Promise<string[]> {
  await using rootfs = await merged(folder, ...layers)
  return (await describeTree(rootfs)).map((line) => line.replace(/ (755|644|777) /, ' ').replace(/ (755|644)$/, ''))
}

const file = (path: string, content = path): TarInput => member(path, { content })
const show = (path: string, content = path): string => `${path} file ${JSON.stringify(content)} 1x ${path}`

describe('mergeLayers', () => {
  it('keeps what is not replaced, and puts the upper layer over it', async () => {
    expect(await tree([member('a/'), file('a/x'), file('a/y')], [file('a/x', 'new')])).toEqual([
      '/ directory',
      'a directory',
      show('a/x', 'new'),
      show('a/y'),
    ])
  })

  it('makes missing parents', async () => {
    expect(await tree([file('a/b/c')])).toEqual(['/ directory', 'a directory', 'a/b directory', show('a/b/c')])
  })

  it('takes the root from its own entry', async () => {
    await using rootfs = await merged(folder, [member('./', { mode: 0o700, uid: 7 })])
    expect(await rootfs.stat('')).toMatchObject({ path: '', mode: 0o700, uid: 7, type: 'directory' })
    expect(await codeOf(tree([file('.')]))).toBe('C2M_LAYER_ROOT')
  })

  it('confines every name', async () => {
    const hostile = ['../../x', '/y', 'd/../../z', './w//v'].map((path) => file(path, ''))
    expect((await tree(hostile)).map((line) => line.split(' ')[0])).toEqual(['/', 'w', 'w/v', 'x', 'y', 'z'])
  })

  describe('whiteouts', () => {
    it('remove a file, a directory with all in it, and nothing', async () => {
      expect(
        await tree([file('f'), file('d/x'), file('k')], [file('.wh.f', ''), file('.wh.d', ''), file('.wh.no', '')]),
      ).toEqual(['/ directory', show('k')])
    })

    it('hide only lower layers, wherever they stand', async () => {
      const lower = [file('d/old'), file('d/s/old')]
      for (const upper of [
        [file('.wh.d', ''), file('d/new')],
        [file('d/new'), file('.wh.d', '')],
        [file('d/.wh..wh..opq', ''), file('d/new')],
        [file('d/new'), file('d/.wh..wh..opq', '')],
      ]) {
        expect(await tree(lower, upper)).toEqual(['/ directory', 'd directory', show('d/new')])
      }
    })

    it('take a lower directory that only own entries kept back to its defaults, unless this layer describes it', async () => {
      const lower = [member('d/', { mode: 0o700 }), file('d/old')]
      expect(await tree(lower, [file('d/new'), file('.wh.d', '')])).toContain('d directory')
      expect(await tree(lower, [member('d/', { mode: 0o711 }), file('.wh.d', '')])).toEqual([
        '/ directory',
        'd directory 711',
      ])
      expect(await tree(lower, [file('d/new'), file('d/.wh..wh..opq', '')])).toContain('d directory 700')
    })

    it('reach through links, inside the tree', async () => {
      const lower = [member('usr/lib/'), file('usr/lib/x'), symlink('lib', '/../usr/lib')]
      expect(await tree(lower, [file('lib/.wh.x', '')])).not.toContain(show('usr/lib/x'))
      expect(await tree(lower, [file('lib/.wh..wh..opq', '')])).not.toContain(show('usr/lib/x'))
    })

    it('of aufs are ignored', async () => {
      const aufs = [file('.wh..wh.aufs', ''), member('.wh..wh.plnk/'), file('.wh..wh.plnk/1.2', '')]
      expect(await tree([file('f')], aufs)).toEqual(['/ directory', show('f')])
    })

    it.each(['.wh.', '.wh...', 'a/.wh..', '.wh.d/x'])('%s is refused', async (path) => {
      expect(await codeOf(tree([file(path, '')]))).toBe('C2M_LAYER_WHITEOUT')
    })
  })

  describe('replacing', () => {
    it('a directory by a file, a file by a directory', async () => {
      expect(await tree([file('a/x')], [file('a')])).toEqual(['/ directory', show('a')])
      expect(await tree([file('a')], [member('a/'), file('a/x')])).toEqual(['/ directory', 'a directory', show('a/x')])
      expect(await codeOf(tree([file('a')], [file('a/x')]))).toBe('C2M_LAYER_PARENT')
    })

    it('a directory by a directory changes it and keeps what it holds', async () => {
      expect(await tree([file('a/x')], [member('a/', { mode: 0o711 })])).toEqual([
        '/ directory',
        'a directory 711',
        show('a/x'),
      ])
    })

    it('a link to a directory by a directory, as containerd does', async () => {
      const lower = [file('usr/lib/x'), symlink('lib', 'usr/lib')]
      expect(await tree(lower, [member('lib/'), file('lib/y')])).toEqual([
        '/ directory',
        'lib directory',
        show('lib/y'),
        'usr directory',
        'usr/lib directory',
        show('usr/lib/x'),
      ])
    })

    it('the same name twice: the last wins', async () => {
      expect(await tree([file('a', '1'), file('a', '2')])).toEqual(['/ directory', show('a', '2')])
    })
  })

  describe('links in parents', () => {
    it('lead inside the tree', async () => {
      expect(await tree([member('usr/lib/'), symlink('lib', 'usr/lib')], [file('lib/x')])).toContain(
        show('usr/lib/x', 'lib/x'),
      )
      const out = await tree([symlink('out', '/etc/../../outside')], [file('out/x', '')])
      expect(out).toContain(show('outside/x', ''))
    })

    it('that loop are an error', async () => {
      expect(await codeOf(tree([symlink('a', 'b'), symlink('b', 'a')], [file('a/x')]))).toBe('C2M_LAYER_LOOP')
    })
  })

  describe('hard links', () => {
    it('reach into lower layers, and a replaced name leaves the others', async () => {
      const first = [file('a'), hardLink('b', 'a')]
      expect(await tree(first, [hardLink('c', './b')])).toEqual([
        '/ directory',
        'a file "a" 3x a',
        'b file "a" 3x a',
        'c file "a" 3x a',
      ])
      expect(await tree(first, [file('a', 'new')])).toEqual(['/ directory', show('a', 'new'), show('b', 'a')])
      expect(await tree(first, [file('.wh.a', '')])).toEqual(['/ directory', show('b', 'a')])
    })

    it('to themselves change nothing; to a symlink it is shared', async () => {
      expect(await tree([file('a'), hardLink('a', 'a')])).toEqual(['/ directory', show('a')])
      expect(await tree([symlink('s', 'x'), hardLink('t', 's')])).toEqual([
        '/ directory',
        's symlink -> x 2x s',
        't symlink -> x 2x s',
      ])
    })

    it('to nothing or to a directory are errors that name both', async () => {
      await expect(tree([hardLink('a', 'no')])).rejects.toThrow(/"a".*"no"/)
      expect(await codeOf(tree([member('d/'), hardLink('a', 'd')]))).toBe('C2M_LAYER_LINK')
      expect(await codeOf(tree([file('d/x'), hardLink('d', 'd/x')]))).toBe('C2M_LAYER_LINK')
    })
  })
})

describe('the merged tree', () => {
  it('answers through links', async () => {
    await using rootfs = await merged(folder, [
      file('usr/bin/sh', '#'),
      symlink('bin', 'usr/bin'),
      symlink('usr/bin/l', '/bin/sh'),
    ])
    expect(await rootfs.stat('bin')).toMatchObject({ type: 'symlink', linkTarget: 'usr/bin' })
    expect(await rootfs.stat('bin/sh')).toMatchObject({ path: 'usr/bin/sh', size: 1 })
    expect(await rootfs.stat('bin/sh/no')).toBeUndefined()
    expect(await rootfs.resolve('bin/l')).toBe('usr/bin/sh')
    expect(await rootfs.resolve('no')).toBeUndefined()
    expect(await rootfs.list('bin/')).toEqual([])
    expect(await rootfs.list('bin/.')).toEqual([])
    expect(await rootfs.list('usr/bin')).toEqual(['l', 'sh'])
    expect(await codeOf(readContentsOf(rootfs.stream('usr')))).toBe('C2M_NO_SUCH_FILE')
  })

  it('gives each surviving body once, in the order of the layers', async () => {
    await using rootfs = await merged(
      folder,
      [file('z', '1'), hardLink('b', 'z'), file('gone'), file('a', '2'), file('empty', '')],
      [file('.wh.gone', ''), file('m', '3')],
    )
    expect([...(await readContents(rootfs))]).toEqual([
      ['b', '1'],
      ['a', '2'],
      ['empty', ''],
      ['m', '3'],
    ])
  })

  it('reads bodies larger than a window, and lets them be dropped', async () => {
    const large = Buffer.alloc(5 * 1024 * 1024, 'abcdefg')
    const members = [member('1', { content: large }), file('2'), member('3', { content: large }), file('4')]
    await using rootfs = await merged(folder, members)
    const contents = await readContents(rootfs)
    expect([...contents.values()].map((content) => content.length)).toEqual([large.length, 1, large.length, 1])
    expect(contents.get('3') === large.toString()).toBe(true)
    let last = ''
    for await (const { entry, body } of rootfs.contents()) {
      if (entry.path === '4') for await (const { data } of body) last += Buffer.from(data).toString()
    }
    expect(last).toBe('4')
  })

  it('refuses a folder as a layer, and names that no file system holds', async () => {
    expect(await codeOf(indexLayer(folder.path))).toBe('C2M_FILE_EISDIR')
    expect(await codeOf(indexLayer(`${folder.path}/none`))).toBe('C2M_FILE_ENOENT')
    expect(await codeOf(tree([file('x'.repeat(256))]))).toBe('C2M_PATH_INVALID')
    expect(await codeOf(tree([symlink('l', 't'.repeat(4096))]))).toBe('C2M_TAR_NAME')
    const deep = 'd/'.repeat(1000)
    expect(await codeOf(tree([symlink('l', deep), file(`l/${deep}${deep}x`, '')]))).toBe('C2M_PATH_INVALID')
    expect(await tree([file(`${deep}x`, '')])).toHaveLength(1002)
  })

  it('refuses a truncated layer', async () => {
    const long = await layer(folder, [member('f', { content: Buffer.alloc(3 * 1024 * 1024) })])
    await truncate(long.tarPath, 1024 * 1024)
    expect(await codeOf(indexLayer(long.tarPath))).toBe('C2M_TAR_TRUNCATED')
    await using rootfs = await mergeLayers([long])
    expect(await codeOf(readContents(rootfs))).toBe('C2M_LAYER_CHANGED')
  })
})

async function readContentsOf(body: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of body) continue
}

/** What a layer can say, over few names so that they collide. */
type Statement =
  | { readonly do: 'file'; readonly path: string; readonly to: string }
  | { readonly do: 'link'; readonly path: string; readonly to: string }
  | { readonly do: 'directory'; readonly path: string }
  | { readonly do: 'whiteout'; readonly path: string }
  | { readonly do: 'opaque'; readonly path: string }

const path = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const statement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('file' as const), path, to: fc.stringMatching(/^[x-z]{3}$/) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('link' as const), path, to: path }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('directory' as const, 'whiteout' as const, 'opaque' as const), path }),
  },
)

function asMember(what: Statement): TarInput {
  const slash = what.path.lastIndexOf('/') + 1
  switch (what.do) {
    case 'file':
      return file(what.path, what.to)
    case 'link':
      return hardLink(what.path, what.to)
    case 'directory':
      return member(`${what.path}/`, { mode: 0o711 })
    case 'whiteout':
      return file(`${what.path.slice(0, slash)}.wh.${what.path.slice(slash)}`, '')
    case 'opaque':
      return file(`${what.path}/.wh..wh..opq`, '')
  }
}

/** The specification as naively as possible: whole paths in a map, hiding before adding. */
function model(layers: readonly (readonly Statement[])[]): string[] | undefined {
  type Node = { mode: string; file?: { content: string } }
  const nodes = new Map<string, Node>()
  const drop = (at: string, self: boolean): void => {
    for (const key of [...nodes.keys()]) if (key.startsWith(`${at}/`) || (self && key === at)) nodes.delete(key)
  }
  const makeParents = (at: string): boolean => {
    const parent = parentOf(at)
    if (parent === '') return true
    if (!makeParents(parent)) return false
    const node = nodes.get(parent)
    if (node === undefined) nodes.set(parent, { mode: '755' })
    return node?.file === undefined
  }
  for (const statements of layers) {
    for (const { do: what, path: at } of statements)
      if (what === 'whiteout' || what === 'opaque') drop(at, what === 'whiteout')
    for (const said of statements) {
      if (said.do === 'whiteout' || said.do === 'opaque') continue
      if (!makeParents(said.path)) return undefined
      const old = nodes.get(said.path)
      if (said.do === 'link' && nodes.get(said.to) === old && old?.file !== undefined) continue
      if (said.do !== 'directory' || old?.file !== undefined) drop(said.path, true)
      if (said.do === 'directory') nodes.set(said.path, { mode: '711' })
      else if (said.do === 'file') nodes.set(said.path, { mode: '644', file: { content: said.to } })
      else if (nodes.get(said.to)?.file === undefined) return undefined
      else nodes.set(said.path, nodes.get(said.to)!)
    }
  }
  const sorted = [...nodes.keys()].sort()
  const lines = sorted.map((at) => {
    const { mode, file: of } = nodes.get(at)!
    if (of === undefined) return `${at} directory ${mode}`
    const names = sorted.filter((other) => nodes.get(other)!.file === of)
    return `${at} file ${mode} ${JSON.stringify(of.content)} ${names.length}x ${names[0]}`
  })
  return ['/ directory 755', ...lines]
}

describe('any layers', () => {
  const isHiding = (what: Statement): boolean => what.do === 'whiteout' || what.do === 'opaque'
  const hidingFirst = (list: readonly Statement[]): Statement[] => [
    ...list.filter(isHiding),
    ...list.filter((what) => !isHiding(what)),
  ]

  it('merge as the specification says', async () => {
    let sound = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(statement, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        async (layers) => {
          const expected = model(layers)
          const members = layers.map((list) => hidingFirst(list).map(asMember))
          if (expected === undefined) {
            expect(await codeOf(merged(folder, ...members))).toMatch(/^C2M_LAYER_(PARENT|LINK)$/)
            return
          }
          sound++
          await using rootfs = await merged(folder, ...members)
          expect(await describeTree(rootfs)).toEqual(expected)
        },
      ),
      { numRuns: 200 },
    )
    expect(sound).toBeGreaterThan(20)
  })

  it('merge alike wherever their whiteouts stand', async () => {
    const withoutLinks = fc.array(
      statement.filter((what) => what.do !== 'link'),
      { maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(withoutLinks, { minLength: 2, maxLength: 3 }), async (layers) => {
        const expected = model(layers)
        const members = layers.map((list) => list.map(asMember))
        // what stands before its whiteout may still find a lower layer's file in its way
        if ((await codeOf(describeTreeOf(members))) !== 'no error') return
        expect(await describeTreeOf(members)).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  })
})

async function describeTreeOf(members: TarInput[][]): Promise<string[]> {
  await using rootfs = await merged(folder, ...members)
  return await describeTree(rootfs)
}

describe('archiveRootfs', () => {
  it("keeps names that would be a layer's whiteouts", async () => {
    const archive = await layer(folder, [file('a'), file('.wh.a'), file('d/.wh..wh..opq')])
    await using rootfs = await archiveRootfs(archive)
    expect(await describeTree(rootfs)).toEqual([
      '/ directory 755',
      '.wh.a file 644 ".wh.a" 1x .wh.a',
      'a file 644 "a" 1x a',
      'd directory 755',
      'd/.wh..wh..opq file 644 "d/.wh..wh..opq" 1x d/.wh..wh..opq',
    ])
  })
})
