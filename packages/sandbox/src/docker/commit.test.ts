import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Rootfs } from '@c2m/plugin-api'
import { writeTar, type TarInput } from '@c2m/rootfs'
import { EPOCH, member, treeFrom, withContent, writeMembers } from '../testing/tree.js'
import { convertCommit } from './commit.js'
import { readTopLayer } from './saved-image.js'

let folder = ''
let base: Rootfs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-commit-'))
  base = await treeFrom(join(folder, 'base.tar'), [
    member('./'),
    member('etc/'),
    member('etc/a', 'a'),
    member('etc/file', 'x'),
  ])
})
afterAll(async () => {
  await base[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function bytesOf(members: TarInput[]): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of writeTar(members)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function archive(layers: string[], files: Record<string, Buffer>): Promise<string> {
  const path = join(folder, 'saved.tar')
  const manifest = member('manifest.json', JSON.stringify([{ Layers: layers }]))
  await writeMembers(path, [
    ...Object.entries(files).map(([name, bytes]) => withContent(bytes, member(name))),
    manifest,
  ])
  return path
}

async function names(path: string): Promise<string[]> {
  const found: string[] = []
  for await (const entry of readTopLayer(path, {})) found.push(entry.path)
  return found
}

describe('a saved image', () => {
  it.each([
    ['as it is', (bytes: Buffer) => bytes],
    ['compressed', (bytes: Buffer) => gzipSync(bytes)],
  ])('has its top layer %s', async (_how, pack) => {
    const files = {
      'blobs/a': await bytesOf([member('base')]),
      'blobs/b': pack(await bytesOf([member('top', 'x'), member('second')])),
    }
    expect(await names(await archive(['blobs/a', 'blobs/b'], files))).toEqual(['top', 'second'])
  })

  it('has none when nothing was changed', async () => {
    expect(await names(await archive(['blobs/a'], {}))).toEqual([])
  })

  it('is refused when it is something else', async () => {
    for (const layers of [[], ['blobs/a', 'blobs/none']]) {
      await expect(names(await archive(layers, {}))).rejects.toMatchObject({ code: 'C2M_SANDBOX_ENGINE' })
    }
  })
})

describe('a committed layer', () => {
  async function convert(members: TarInput[]): Promise<string[]> {
    const path = await archive(['a', 'b'], { b: await bytesOf(members) })
    const task = {
      base,
      baseId: '',
      architecture: '',
      steps: [],
      packageCaches: [],
      cacheGroup: '',
      sourceDateEpoch: EPOCH,
    }
    const placed = [{ path: 'opt/made/tool', content: 'temporary' }]
    const found: string[] = []
    for await (const entry of convertCommit(readTopLayer(path, {}), { task, contentless: ['tmp'], placed }))
      found.push(entry.path)
    return found
  }

  it('keeps what packages did, without what the engine and temporary files left', async () => {
    const members = [
      member('.dockerenv'),
      member('etc/'),
      member('etc/.wh.a'),
      member('etc/hosts'),
      member('etc/mtab', { type: 'symlink', linkTarget: '/proc/mounts' }),
      member('etc/new', 'n'),
      member('opt/'),
      member('opt/made/'),
      member('opt/made/tool', 'temporary'),
      member('tmp/'),
      member('tmp/x', 'x'),
    ]
    expect(await convert(members)).toEqual(['etc/.wh.a', 'etc/new', 'tmp'])
  })

  it("keeps a package's own version of a temporary file, with its directories", async () => {
    expect(await convert([member('opt/'), member('opt/made/'), member('opt/made/tool', 'own')])).toEqual([
      'opt',
      'opt/made',
      'opt/made/tool',
    ])
  })

  it('marks only directories that hide something', async () => {
    const members = [
      member('etc/'),
      member('etc/.wh..wh..opq'),
      member('etc/file/'),
      member('etc/file/.wh..wh..opq'),
      member('new/'),
      member('new/.wh..wh..opq'),
    ]
    expect(await convert(members)).toEqual(['etc/.wh..wh..opq', 'etc/file', 'new'])
  })
})
