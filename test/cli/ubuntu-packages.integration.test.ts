import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { c2m } from '../support/cli.js'
import { writeDebRepository } from '../support/deb-repository.js'
import { serveFolders, type ServedFolders } from '../support/http-folders.js'
import { missingForUbuntu, ubuntuArchive, ubuntuImage } from '../support/ubuntu.js'

const missing = missingForUbuntu()
if (missing !== undefined) console.warn(`skipped: ${missing}`)

describe.skipIf(missing !== undefined)('the packages of a stand-in for Ubuntu', () => {
  let folder = ''
  let served: ServedFolders
  let otherKey = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-ubuntu-'))
    const empty = join(folder, 'empty')
    const { key } = await writeDebRepository(empty, { suite: 'noble', component: 'main', packages: [] })
    otherKey = join(folder, 'other.gpg')
    await writeFile(otherKey, key)
    served = await serveFolders({ ubuntu: await ubuntuArchive(), empty })
  })
  afterAll(async () => {
    await served[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function convert(name: string, url: string | undefined): Promise<string> {
    const place = join(folder, name)
    await mkdir(place)
    const image = await ubuntuImage(place, url ?? '', otherKey)
    const { code, stderr } = await c2m(['container2vm', `oci:${image}`, '-o', join(place, 'x.img')])
    expect(code).toBe(1)
    return stderr
  }

  it('are refused from an archive that the image does not trust', async () => {
    const said = await convert('untrusted', served.urls[0])
    expect(said).toMatch(/NO_PUBKEY|is not signed/)
    expect(said).toContain('linux-image-virtual')
  })
  it('are named when the archive does not have them', async () => {
    expect(await convert('lacking', served.urls[1])).toContain('Unable to locate package linux-image-virtual')
  })
})
