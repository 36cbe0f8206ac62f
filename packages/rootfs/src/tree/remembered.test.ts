import { expect, it, vi } from 'vitest'
import { compareRootfs } from '../compare/compare.js'
import { describeTree, hardLink, member, merged, readContents, symlink, temporaryFolder } from '../testing/fixtures.js'
import { rememberRootfs } from './remembered.js'

const folder = temporaryFolder()

it('is the same tree, walked once', async () => {
  await using tree = await merged(folder, [
    member('./', { mode: 0o711 }),
    member('a/'),
    member('a/x', { content: 'one', mode: 0o4755, xattrs: new Map([['user.k', Buffer.from('v')]]) }),
    hardLink('b', 'a/x'),
    symlink('link', 'a'),
    member('a-b/'),
    member('a-b/deep/'),
    member('a-b/deep/y', { content: 'two' }),
    member('c', { content: '' }),
  ])
  const walk = vi.spyOn(tree, 'walk')
  const remembered = await rememberRootfs(tree)
  expect(await remembered.resolve('link/x')).toBe('a/x')
  expect(await remembered.list('a-b')).toEqual(['deep'])
  expect(walk).toHaveBeenCalledTimes(1)
  expect(await compareRootfs(tree, remembered)).toEqual([])
  expect(await describeTree(remembered)).toEqual(await describeTree(tree))
  expect(await readContents(remembered)).toEqual(await readContents(tree))
})
