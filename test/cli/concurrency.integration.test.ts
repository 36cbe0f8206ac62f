import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

it('two runs at once share one cache', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'c2m-twice-'))
  try {
    const image = `oci:${await debian12()}`
    const run = (name: string) =>
      c2mOk(['container2vm', image, '-o', join(folder, name), '--seed', 'x', '--package', 'less'])
    await Promise.all([run('one.img'), run('two.img')])
    expect((await readdir(folder)).sort()).toEqual(['one.img', 'two.img'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
