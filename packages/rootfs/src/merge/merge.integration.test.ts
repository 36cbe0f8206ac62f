import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Rootfs } from '@c2m/plugin-api'
import { run } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { compareRootfs } from '../compare/compare.js'
import { openDirectory } from '../directory/directory.js'
import { indexLayer } from '../layer/layer.js'
import type { TarInput } from '../tar/member.js'
import { writeTar } from '../tar/writer.js'
import { collect, describeTree, hardLink, member, symlink, temporaryFolder } from '../testing/fixtures.js'
import { canJudge } from '../testing/judges.js'
import { mergeLayers } from './merge.js'

const judged = await canJudge({ umoci: 'umoci', getfattr: 'attr' }, { root: true })
const file = (path: string, content = path): TarInput => member(path, { content })

const IMAGES: Record<string, TarInput[][]> = {
  whiteouts: [
    [member('d/', { mode: 0o700 }), file('d/a'), file('d/b'), member('e/'), file('e/x'), file('gone')],
    [member('d/'), file('d/.wh.a', ''), file('.wh.gone', ''), file('.wh.absent', ''), file('.wh.e', '')],
    [file('gone', 'again')],
  ],
  'opaque directories': [
    [member('d/'), file('d/old'), member('d/s/'), file('d/s/old'), member('keep/'), file('keep/x')],
    [member('d/', { mode: 0o711 }), file('d/.wh..wh..opq', ''), file('d/new')],
  ],
  'an opaque mark after its siblings': [
    [member('d/'), file('d/old'), member('d/s/'), file('d/s/old')],
    [member('d/'), file('d/new'), member('d/s/'), file('d/s/new'), file('d/.wh..wh..opq', '')],
  ],
  replacements: [
    [member('d/'), file('d/x'), file('f'), symlink('l', 'd'), symlink('k', 'd'), member('n/')],
    [file('d', 'file now'), member('f/'), file('f/x'), member('l/'), file('l/x'), file('k', 'no link')],
    [member('n/', { mode: 0o1777, uid: 5, gid: 4_000_000_000 })],
  ],
  'hard links across layers': [
    [file('a'), hardLink('b', 'a'), member('d/'), hardLink('d/c', 'a')],
    [file('a', 'new'), hardLink('d/e', 'b')],
    [file('.wh.b', ''), hardLink('f', 'd/c')],
  ],
  'parents that are links': [
    [
      member('usr/'),
      member('usr/lib/'),
      file('usr/lib/a'),
      file('usr/lib/b'),
      symlink('lib', 'usr/lib'),
      member('etc/'),
    ],
    [file('lib/x'), file('lib/.wh.a', '')],
    [symlink('out', '/etc/../../outside'), member('outside/'), file('out/x')],
  ],
  'names that would leave': [[member('d/'), file('../x'), file('/y'), file('d/../../z'), file('./d/./w')]],
  'devices and attributes': [
    [
      member('dev/'),
      member('dev/null', { type: 'character', device: { major: 1, minor: 3 }, mode: 0o666 }),
      member('fifo', { type: 'fifo' }),
      member('cap', {
        content: 'x',
        mode: 0o4755,
        xattrs: new Map([['user.a', new Uint8Array([0, 10, 61, 128, 255])]]),
      }),
      member('time', { content: 'x', mtime: { seconds: -2, nanoseconds: 500_000_000 } }),
    ],
  ],
}

describe.skipIf(!judged)('mergeLayers, judged by umoci', () => {
  const folder = temporaryFolder()

  it.each(Object.keys(IMAGES))('%s', async (name) => {
    const archives = await Promise.all(IMAGES[name]!.map((layer) => collect(writeTar([member('./'), ...layer]))))
    const paths = archives.map((_, index) => join(folder.path, `${name}-${index}.tar`))
    await Promise.all(archives.map((archive, index) => writeFile(paths[index]!, archive)))
    await using ours = await mergeLayers(await Promise.all(paths.map((path) => indexLayer(path))))
    await using theirs = await unpackByUmoci(join(folder.path, name), archives)
    expect(await describeTree(ours)).toEqual(await describeTree(theirs))
    const isDirectory = async (path: string): Promise<boolean> => (await ours.stat(path))?.type === 'directory'
    const found = await compareRootfs(ours, theirs)
    for (const difference of found) {
      // a directory's time is that of its last change where umoci itself changed it
      expect({ ...difference, isDirectory: await isDirectory(difference.path) }).toMatchObject({
        aspect: 'mtime',
        isDirectory: true,
      })
    }
  })

  async function unpackByUmoci(path: string, archives: readonly Buffer[]): Promise<Rootfs> {
    const image = join(path, 'image')
    await mkdir(join(image, 'blobs/sha256'), { recursive: true })
    const put = async (mediaType: string, content: Buffer | object): Promise<object> => {
      const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
      const digest = createHash('sha256').update(bytes).digest('hex')
      await writeFile(join(image, 'blobs/sha256', digest), bytes)
      return { mediaType, digest: `sha256:${digest}`, size: bytes.length }
    }
    const kind = 'application/vnd.oci.image'
    const layers: object[] = []
    for (const archive of archives) layers.push(await put(`${kind}.layer.v1.tar`, archive))
    const ids = archives.map((archive) => `sha256:${createHash('sha256').update(archive).digest('hex')}`)
    const rootfs = { type: 'layers', diff_ids: ids }
    const config = await put(`${kind}.config.v1+json`, { architecture: 'amd64', os: 'linux', rootfs, config: {} })
    const manifest = await put(`${kind}.manifest.v1+json`, {
      schemaVersion: 2,
      mediaType: `${kind}.manifest.v1+json`,
      config,
      layers,
    })
    const annotated = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
    await writeFile(join(image, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [annotated] }))
    await writeFile(join(image, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    await run('umoci', ['unpack', '--image', `${image}:latest`, join(path, 'bundle')])
    return openDirectory(join(path, 'bundle/rootfs'))
  }
})
