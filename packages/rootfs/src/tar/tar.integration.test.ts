import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Rootfs } from '@c2m/plugin-api'
import { run } from '@c2m/process'
import { beforeAll, describe, expect, it } from 'vitest'
import { compareRootfs, type Aspect, type CompareOptions } from '../compare/compare.js'
import { openDirectory } from '../directory/directory.js'
import { indexLayer } from '../layer/layer.js'
import { mergeLayers } from '../merge/merge.js'
import { temporaryFolder } from '../testing/fixtures.js'
import { EXOTIC_TREE, canJudge } from '../testing/judges.js'
import { packRootfs, type PackOptions } from './pack.js'

const judged = await canJudge(
  { tar: 'tar', bsdtar: 'libarchive-tools', setfattr: 'attr', setfacl: 'acl', setcap: 'libcap2-bin' },
  { root: true },
)
const EVERYTHING = ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner']

describe.skipIf(!judged)('tar, judged by others', () => {
  const folder = temporaryFolder()
  let exotic = ''
  let count = 0

  beforeAll(async () => {
    exotic = join(folder.path, 'exotic')
    await mkdir(exotic)
    await run('bash', ['-c', EXOTIC_TREE], { cwd: exotic })
  })

  async function archiveBy(tool: string, ...args: string[]): Promise<Rootfs> {
    const path = join(folder.path, `${count++}.tar`)
    await run(tool, [...args, '-cf', path, '-C', exotic, '.'])
    return mergeLayers([await indexLayer(path)])
  }

  async function unpackedBy(tool: string, options: PackOptions, ...args: string[]): Promise<Rootfs> {
    const path = join(folder.path, `${count++}.tar`)
    const target = join(folder.path, `${count++}`)
    await mkdir(target)
    await using source = await openDirectory(exotic)
    await pipeline(Readable.from(packRootfs(source, options)), createWriteStream(path))
    await run(tool, [...args, '-xpf', path, '-C', target])
    return openDirectory(target)
  }

  async function differences(other: Rootfs, options: CompareOptions = {}): Promise<unknown> {
    await using source = await openDirectory(exotic)
    await using given = other
    return await compareRootfs(source, given, options)
  }

  // GNU tar itself writes another name of a device as another device
  const ofGnuTar = (path: string, aspect: Aspect): boolean => aspect === 'hard links' && /^null2?$/.test(path)

  it('reads all that GNU tar writes in its PAX format', async () => {
    expect(await differences(await archiveBy('tar', '--format=posix', ...EVERYTHING), { ignore: ofGnuTar })).toEqual([])
  })

  it.each(['0.0', '0.1', '1.0'])('reads sparse files of PAX format %s', async (version) => {
    const args = ['--format=posix', '--sparse', `--sparse-version=${version}`, ...EVERYTHING]
    const rootfs = await archiveBy('tar', ...args)
    const stored: number[] = []
    for await (const { data } of rootfs.stream('sparse')) stored.push(data.length)
    expect(stored.reduce((sum, length) => sum + length, 0)).toBeLessThan(64 * 1024)
    expect(await differences(rootfs, { ignore: ofGnuTar })).toEqual([])
  })

  it('reads ACLs that are there as text only', async () => {
    const rootfs = await archiveBy('tar', '--format=posix', '--acls', '--numeric-owner')
    expect((await rootfs.stat('acl'))?.xattrs.size).toBe(1)
    expect((await rootfs.stat('acl-dir'))?.xattrs.size).toBe(2)
    expect(
      await differences(rootfs, {
        ignore: (path, aspect) => ofGnuTar(path, aspect) || (aspect === 'xattrs' && !path.startsWith('acl')),
      }),
    ).toEqual([])
  })

  it('reads GNU format, which knows neither attributes nor fractions of seconds', async () => {
    const options: CompareOptions = {
      wholeSeconds: true,
      ignore: (path, aspect) => aspect === 'xattrs' || ofGnuTar(path, aspect),
    }
    for (const sparse of [[], ['--sparse']]) {
      expect(await differences(await archiveBy('tar', '--format=gnu', '--numeric-owner', ...sparse), options)).toEqual(
        [],
      )
    }
  })

  // Where libarchive 3.6 errs: links to links and devices become files of their own, the half second before 1970-01-01
  // 00:00 UTC is counted the wrong way, '=' and '%' in attribute names are not escaped as GNU tar does
  const ofLibarchive = (path: string, aspect: Aspect): boolean =>
    (aspect === 'hard links' && /^(s[12]|null2?)$/.test(path)) ||
    (aspect === 'mtime' && (path === 'old' || path === '')) ||
    (aspect === 'xattrs' && path === 'attributes')

  it('reads what bsdtar writes', async () => {
    const rootfs = await archiveBy('bsdtar', '--format=pax', '--xattrs', '--acls', '--numeric-owner')
    const binary = (await rootfs.stat('attributes'))?.xattrs.get('user.binary')
    expect(binary).toEqual(new Uint8Array([0x00, 0x0a, 0x3d, 0x80, 0xff, 0x00]))
    expect(await differences(rootfs, { ignore: ofLibarchive })).toEqual([])
  })

  it.each<PackOptions>([{}, { order: 'storage' }, { sparse: true }])(
    'GNU tar unpacks all of it: %j',
    async (options) => {
      expect(await differences(await unpackedBy('tar', options, ...EVERYTHING))).toEqual([])
    },
  )

  it.each<PackOptions>([{}, { sparse: true }])('bsdtar unpacks all of it: %j', async (options) => {
    expect(
      await differences(await unpackedBy('bsdtar', options, '--xattrs', '--acls', '--numeric-owner'), {
        ignore: ofLibarchive,
      }),
    ).toEqual([])
  })
})
