import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

describe('the same seed', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-seed-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('gives the same bytes, also when the packages are installed again', async () => {
    const image = `oci:${await debian12()}`
    const digests: string[] = []
    for (const name of ['one.img', 'two.img']) {
      const disk = join(folder, name)
      await c2mOk(['container2vm', image, '-o', disk, '--seed', 'pancake', '--hostname', 'web', '--refresh'])
      const hash = createHash('sha256')
      await pipeline(createReadStream(disk), hash)
      digests.push(hash.digest('hex'))
    }
    expect(digests[1]).toBe(digests[0])
  })
})
