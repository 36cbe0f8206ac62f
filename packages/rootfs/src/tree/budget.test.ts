import { describe, expect, it } from 'vitest'
import { layer, member, temporaryFolder } from '../testing/fixtures.js'
import { archiveRootfs } from '../merge/merge.js'
import { MAX_ENTRIES, TreeBudget } from './budget.js'

const folder = temporaryFolder()
const code = (name: string): unknown => expect.objectContaining({ code: name })

describe('TreeBudget', () => {
  it('ends a tree of more entries, or of longer paths, than memory holds', () => {
    const entries = new TreeBudget('x')
    for (let count = 0; count < MAX_ENTRIES; count++) entries.addEntry(10)
    expect(() => entries.addEntry(10)).toThrow(code('C2M_TREE_TOO_LARGE'))
    const paths = new TreeBudget('x')
    expect(() => {
      for (let count = 0; count < MAX_ENTRIES; count++) paths.addEntry(4096)
    }).toThrow('characters together')
  })

  it('counts the names of attributes as well as their values', () => {
    const budget = new TreeBudget('x')
    const names = (count: number) =>
      new Map(Array.from({ length: count }, (_, index) => [`user.${index}`, new Uint8Array()]))
    budget.keepAttributes(names(5000), 'f')
    expect(() => budget.keepAttributes(names(8000), 'f')).toThrow(code('C2M_ATTRIBUTE_NAMES'))
    const many = names(5000)
    expect(() => {
      for (;;) budget.keepAttributes(many, 'f')
    }).toThrow(code('C2M_TREE_TOO_LARGE'))
  })

  it('counts directories that an archive only implies', async () => {
    const deep = Array.from({ length: 1000 }, () => 'a').join('/')
    await using tree = await archiveRootfs(await layer(folder, [member(`${deep}/f`)]))
    const entries: string[] = []
    for await (const { path } of tree.walk()) entries.push(path)
    expect(entries).toHaveLength(1002)
  })
})

describe('walks and look-ups', () => {
  it('end with an interruption', async () => {
    const stop = new AbortController()
    const members = Array.from({ length: 100 }, (_, index) => member(`f${index}`))
    await using tree = await archiveRootfs(await layer(folder, members), stop.signal)
    stop.abort()
    await expect(tree.stat('f1')).rejects.toThrow(code('C2M_INTERRUPTED'))
    await expect(tree.walk()[Symbol.asyncIterator]().next()).rejects.toThrow(code('C2M_INTERRUPTED'))
  })
})
