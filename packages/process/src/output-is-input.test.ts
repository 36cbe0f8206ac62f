import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refuseSameFile } from './output-is-input.js'

describe('refuseSameFile', () => {
  let folder = ''
  const at = (name: string) => join(folder, name)
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-same-file-'))
    await writeFile(at('disk.img'), 'disk')
    await writeFile(at('other.img'), 'disk')
    await link(at('disk.img'), at('hard.img'))
    await symlink('disk.img', at('soft.img'))
    await mkdir(at('folder'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(['disk.img', 'hard.img', 'soft.img', 'folder/../disk.img'])('knows the input as %s', async (name) => {
    // not join, which would take '..' away
    const output = `${folder}/${name}`
    for (const [one, other] of [
      [output, at('disk.img')],
      [at('disk.img'), output],
    ] as const) {
      await expect(refuseSameFile(one, async () => [undefined, at('other.img'), other])).rejects.toMatchObject({
        code: 'C2M_OUTPUT_IS_INPUT',
        exitCode: 2,
        message: expect.stringContaining(one) as string,
      })
    }
  })

  it('lets every other file pass', async () => {
    await refuseSameFile(at('other.img'), async () => [at('disk.img'), at('absent'), undefined])
    await refuseSameFile(at('folder'), async () => [at('disk.img')])
  })

  it('does not ask for the inputs when nothing would be replaced', async () => {
    await refuseSameFile(at('absent'), () => Promise.reject(new Error('asked')))
  })
})
