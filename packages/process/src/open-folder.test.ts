import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { OpenFolder, removeTree } from './open-folder.js'
import { scratch } from './testing/scratch.js'

/** Lets `d/x` be a directory and a link to `victim` by turns until it is told to stop. */
const SWAPPER = `
const { mkdirSync, renameSync, rmSync, symlinkSync } = require('node:fs')
const [attack, victim] = process.argv.slice(1)
const ignore = (act) => { try { act() } catch {} }
const until = Date.now() + 10000
while (Date.now() < until) {
  ignore(() => mkdirSync(attack + '/d/x', { recursive: true }))
  for (let i = 0; i < 50; i++) ignore(() => mkdirSync(attack + '/d/x/' + i))
  ignore(() => symlinkSync(victim, attack + '/link'))
  ignore(() => renameSync(attack + '/d/x', attack + '/aside'))
  ignore(() => renameSync(attack + '/link', attack + '/d/x'))
  ignore(() => rmSync(attack + '/aside', { recursive: true }))
}
`

describe('removeTree', () => {
  it('removes files, directories and links, not what a link leads to', async () => {
    await using folder = await scratch()
    const victim = folder.at('victim')
    await mkdir(victim)
    await writeFile(`${victim}/kept`, '')
    await mkdir(folder.at('tree/a/b'), { recursive: true })
    await writeFile(folder.at('tree/a/b/file'), '')
    await symlink(victim, folder.at('tree/a/link'))
    await symlink(victim, folder.at('top'))
    for (const name of ['tree', 'top', 'not-there', 'not/there']) await removeTree(folder.at(name))
    expect(await readdir(folder.path)).toEqual(['victim'])
    expect(await readdir(victim)).toEqual(['kept'])
  })

  it('does not leave the tree when a directory in it becomes a link meanwhile', async () => {
    await using folder = await scratch()
    const [attack, victim] = [folder.at('attack'), folder.at('victim')]
    await mkdir(victim)
    for (let i = 0; i < 100; i++) await writeFile(`${victim}/${i}`, '')
    await mkdir(attack)
    const child = spawn(process.execPath, ['-e', SWAPPER, attack, victim], { stdio: 'ignore' })
    try {
      const until = Date.now() + 1500
      while (Date.now() < until) await removeTree(`${attack}/d`).catch(() => undefined)
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    expect(await readdir(victim)).toHaveLength(100)
  })
})

describe('OpenFolder', () => {
  it('stays where it was opened', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('a'))
    await mkdir(folder.at('b'))
    await using opened = await OpenFolder.openItself(folder.at('a'))
    await removeTree(folder.at('a'))
    await symlink('b', folder.at('a'))
    await expect(writeFile(opened.at('file'), '')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await readdir(folder.at('b'))).toEqual([])
    await expect(OpenFolder.openItself(folder.at('a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })
})
