import { mkdir, readdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { findTool, silentReporter } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { openImage } from './open.js'
import type { OpenedImage, OpenImageOptions } from './image.js'
import { digestOf, LayoutBuilder, tarHeader, tarOf, temporary } from './testing/layout.js'
import { warnings } from './testing/new-image.js'

const getfattr = await findTool('getfattr')
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error

async function world() {
  const folder = await temporary()
  const cache = join(folder.path, 'cache')
  const env = { HOME: folder.path, DOCKER_HOST: `unix://${folder.path}/no.sock` }
  return {
    path: folder.path,
    cache,
    env,
    layout: new LayoutBuilder(join(folder.path, 'layout')),
    open: (reference: string, options: Partial<OpenImageOptions> = {}) =>
      openImage(reference, { cache, env, platform: 'linux/amd64', ...options }),
    /** Files below the cache, but what it notes down. */
    cached: async () => {
      const names = await readdir(cache, { recursive: true, withFileTypes: true }).catch(() => [])
      return names
        .filter((entry) => entry.isFile() && entry.name !== '.c2m-temporary')
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => !path.startsWith(join(cache, 'records')))
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

async function textOf(image: OpenedImage, path: string): Promise<string> {
  await using tree = await image.rootfs()
  const chunks = []
  for await (const { data } of tree.stream(path)) chunks.push(Buffer.from(data))
  return Buffer.concat(chunks).toString()
}

describe('OCI layouts', () => {
  it('opens one, verified and unpacked into the cache', async () => {
    await using w = await world()
    const { digest } = await w.layout.image({ config: { config: { Cmd: ['/bin/sh'] } } })
    await w.layout.write()
    await using image = await w.open(`oci:${w.layout.path}`)
    expect(image).toMatchObject({
      name: 'layout',
      digest,
      architecture: 'amd64',
      os: 'linux',
      config: { cmd: ['/bin/sh'] },
    })
    expect(await textOf(image, 'etc/hello')).toBe('hello\n')
    const tar = tarOf({ 'etc/hello': 'hello\n' })
    expect(await w.cached()).toEqual([join(w.cache, 'layers/sha256', `${digestOf(tar).slice(7)}.tar`)])
    expect(await readFile((await w.cached())[0]!)).toEqual(tar)
  })

  it('opens a layer without compression, and one whose media type lies about it', async () => {
    await using w = await world()
    await w.layout.image({ pack: (tar) => tar, mediaType: 'application/vnd.oci.image.layer.v1.tar', refName: 'plain' })
    await w.layout.image({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      refName: 'lies',
      layers: [tarOf({ 'etc/hello': 'again\n' })],
    })
    await w.layout.write()
    await using plain = await w.open(`${w.layout.path}:plain`)
    expect(await textOf(plain, 'etc/hello')).toBe('hello\n')
    await using lies = await w.open(`oci:${w.layout.path}:lies`)
    expect(await textOf(lies, 'etc/hello')).toBe('again\n')
  })

  it('merges layers in their order, one of them twice', async () => {
    await using w = await world()
    const [a, b] = [tarOf({ 'etc/hello': 'a', x: '1' }), tarOf({ 'etc/hello': 'b', 'etc/.wh.gone': '' })]
    await w.layout.image({ layers: [a, b, a] })
    await w.layout.write()
    await using image = await w.open(w.layout.path)
    expect(image.layers).toHaveLength(3)
    expect(await textOf(image, 'etc/hello')).toBe('a')
    expect(await w.cached()).toHaveLength(2)
  })

  it('keeps nothing of a corrupt layer, and names it', async () => {
    await using w = await world()
    const first = tarOf({ a: 'fine' })
    const { layers } = await w.layout.image({ layers: [first, tarOf({ 'etc/hello': 'hello\n'.repeat(10_000) })] })
    await w.layout.write()
    const blob = join(w.layout.path, 'blobs/sha256', layers[1]!.digest.slice(7))
    const good = await readFile(blob)
    for (const at of [5, 40, good.length - 6, good.length - 1]) {
      const bad = Buffer.from(good)
      bad[at]! ^= 0x10
      await writeFile(blob, bad)
      await expect(w.open(w.layout.path)).rejects.toThrow(`${layers[1]!.digest} from ${w.layout.path} is corrupt`)
      await expect(w.open(w.layout.path)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
    }
    for (const bad of [good.subarray(0, -1), Buffer.concat([good, Buffer.of(0)]), Buffer.alloc(0)]) {
      await writeFile(blob, bad)
      await expect(w.open(w.layout.path)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
    }
    expect((await w.cached()).filter((path) => !path.includes(digestOf(first).slice(7)))).toEqual([])
    await writeFile(blob, good)
    await using image = await w.open(w.layout.path)
    expect(image.layers).toHaveLength(2)
  })

  it('refuses a layer that is not what the configuration says', async () => {
    await using w = await world()
    await w.layout.image({ config: { rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] } } })
    await w.layout.write()
    await expect(w.open(w.layout.path)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
    expect(await w.cached()).toEqual([])
  })

  it('takes sha512, and names the layer that is no tar', async () => {
    await using w = await world()
    const tar = tarOf({ 'etc/hello': 'hello\n' })
    const ids = (bytes: Uint8Array) => ({ rootfs: { type: 'layers', diff_ids: [digestOf(bytes, 'sha512')] } })
    await w.layout.image({ layers: [tar], config: ids(tar), refName: 'good' })
    const noTar = Buffer.alloc(2048, 'no tar')
    await w.layout.image({ layers: [noTar], config: ids(noTar), refName: 'bad' })
    await w.layout.write()
    await using image = await w.open(`oci:${w.layout.path}:good`)
    expect(await w.cached()).toEqual([join(w.cache, 'layers/sha512', `${digestOf(tar, 'sha512').slice(7)}.tar`)])
    expect(await textOf(image, 'etc/hello')).toBe('hello\n')
    await expect(w.open(`oci:${w.layout.path}:bad`)).rejects.toThrow(
      `the layer ${digestOf(noTar, 'sha512')} of ${w.layout.path}: `,
    )
  })

  it('refuses a configuration with more or fewer layers', async () => {
    await using w = await world()
    await w.layout.image({ config: { rootfs: { type: 'layers', diff_ids: [] } } })
    await w.layout.write()
    await expect(w.open(w.layout.path)).rejects.toThrow('has 1 layers, but its configuration lists 0 diff_ids')
  })

  it('chooses by platform and says what is there', async () => {
    await using w = await world()
    await w.layout.image({ platform: { os: 'linux', architecture: 'arm64' }, layers: [tarOf({ 'etc/hello': 'arm' })] })
    await w.layout.image()
    await w.layout.write()
    await using image = await w.open(w.layout.path, { platform: 'linux/arm64' })
    expect(await textOf(image, 'etc/hello')).toBe('arm')
    await expect(w.open(w.layout.path, { platform: 'linux/s390x' })).rejects.toThrow(
      `has no image for linux/s390x; it has linux/amd64, linux/arm64`,
    )
  })

  it('lists the names when several images are there', async () => {
    await using w = await world()
    await w.layout.image({ refName: '1.0' })
    await w.layout.image({ refName: '2.0', layers: [tarOf({ two: '2' })] })
    await w.layout.write()
    await expect(w.open(w.layout.path)).rejects.toThrow('several images: 1.0, 2.0')
    await expect(w.open(`oci:${w.layout.path}:3.0`)).rejects.toThrow(code('C2M_IMAGE_NOT_FOUND'))
    await using image = await w.open(`oci:${w.layout.path}:2.0`)
    expect(image.name).toBe('layout-2.0')
    await using byIndex = await w.open(`oci:${w.layout.path}:@1`)
    expect(byIndex.digest).toBe(image.digest)
  })

  it('unpacks no bomb', async () => {
    await using w = await world()
    await w.layout.image({ layers: [tarOf({ zeros: Buffer.alloc(3_000_000) })] })
    await w.layout.write()
    await expect(w.open(w.layout.path, { maxUnpackedBytes: 1_000_000 })).rejects.toThrow(code('C2M_IMAGE_TOO_LARGE'))
    expect(await w.cached()).toEqual([])
  })

  it('stops when interrupted, and leaves no temporary files', async () => {
    await using w = await world()
    await w.layout.image()
    await w.layout.write()
    await expect(w.open(w.layout.path, { signal: AbortSignal.abort() })).rejects.toThrow(code('C2M_INTERRUPTED'))
    expect(await w.cached()).toEqual([])
    expect(await readdir(join(w.cache, 'temporary'))).toEqual([])
  })

  it('lets several runs share a cache', async () => {
    await using w = await world()
    await w.layout.image()
    await w.layout.write()
    const images = await Promise.all(Array.from({ length: 5 }, () => w.open(w.layout.path)))
    for (const image of images) expect(await textOf(image, 'etc/hello')).toBe('hello\n')
    for (const image of images) await image[Symbol.asyncDispose]()
  })

  it('keeps what only this user may read', async () => {
    await using w = await world()
    await w.layout.image()
    await w.layout.write()
    await using _image = await w.open(w.layout.path)
    for (const { parentPath, name } of await readdir(w.cache, { recursive: true, withFileTypes: true }))
      expect((await stat(join(parentPath, name))).mode & 0o077).toBe(0)
  })

  it.each([
    [
      'other content of the same size',
      (tar: Buffer) => Buffer.from(tar.toString('latin1').replace('hello\n', 'HELLO\n')),
    ],
    ['less content', (tar: Buffer) => tar.subarray(0, 1024)],
    ['no tar', () => Buffer.from('no tar at all'.repeat(100))],
  ])('makes a layer anew that has %s, and says so', async (_what, damage) => {
    await using w = await world()
    await w.layout.image()
    await w.layout.write()
    await (await w.open(w.layout.path))[Symbol.asyncDispose]()
    const [layer = ''] = await w.cached()
    const { atime, mtime } = await stat(layer)
    await writeFile(layer, damage(await readFile(layer)))
    await utimes(layer, atime, mtime)
    const { said, reporter } = warnings()
    await using again = await w.open(w.layout.path, { reporter })
    expect(await textOf(again, 'etc/hello')).toBe('hello\n')
    expect(said).toEqual([expect.stringMatching(/^the cached layer sha256:.* is damaged; unpacking it again$/)])
  })

  it('unpacks the same file once, and another one again', async () => {
    await using w = await world()
    const { layers } = await w.layout.image()
    await w.layout.write()
    // its next change has to show
    await setTimeout(2100)
    const bytesRead = async () => {
      let bytes = 0
      const reporter = { ...silentReporter, progress: (count: number) => void (bytes += count) }
      await (await w.open(w.layout.path, { reporter }))[Symbol.asyncDispose]()
      return bytes
    }
    expect(await bytesRead()).toBe(layers[0]!.size)
    expect(await bytesRead()).toBe(0)
    const blob = join(w.layout.path, 'blobs/sha256', layers[0]!.digest.slice(7))
    await writeFile(blob, await readFile(blob))
    expect(await bytesRead()).toBe(layers[0]!.size)
  })
})

describe('a layer of another image in the cache', () => {
  const secret = tarOf({ 'etc/secret': 'secret\n' })
  const diffIds = [digestOf(secret)]

  /** An image with the secret layer has been opened before. */
  async function victim() {
    const w = await world()
    const layout = new LayoutBuilder(join(w.path, 'victim'))
    await layout.image({ layers: [secret] })
    await layout.write()
    await (await w.open(layout.path))[Symbol.asyncDispose]()
    return { w }
  }

  const other = gzipSync(tarOf({ x: 'x' }))
  const gone = gzipSync(secret)

  it.each([
    ['a blob that is not there', '1'.repeat(64), undefined, 'C2M_IMAGE_MANIFEST'],
    ['another blob', digestOf(other).slice(7), other, 'C2M_IMAGE_DIGEST_MISMATCH'],
    ['its own blob that is not there', digestOf(gone).slice(7), undefined, 'C2M_IMAGE_MANIFEST'],
    ['its own blob with other content', digestOf(gone).slice(7), other, 'C2M_IMAGE_DIGEST_MISMATCH'],
    ['its diff_id as a blob that is not there', diffIds[0]!.slice(7), undefined, 'C2M_IMAGE_MANIFEST'],
  ])('is not given to a layout with %s', async (_what, hex, content, refused) => {
    const { w } = await victim()
    await using _w = w
    const layer = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: `sha256:${hex}`,
      size: content?.length ?? gone.length,
    }
    await w.layout.image({ config: { rootfs: { type: 'layers', diff_ids: diffIds } }, manifest: { layers: [layer] } })
    await w.layout.write()
    if (content !== undefined) await writeFile(join(w.layout.path, 'blobs/sha256', hex), content)
    await expect(w.open(w.layout.path)).rejects.toThrow(code(refused))
    await expect(w.open(w.layout.path)).rejects.toThrow(code(refused))
  })

  it.each([
    ['plain', (tar: Buffer) => tar],
    ['compressed', (tar: Buffer) => gzipSync(tar)],
  ])('is not given to a %s docker-archive without its content', async (_what, pack) => {
    const { w } = await victim()
    await using _w = w
    const config = JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: diffIds },
    })
    const manifest = JSON.stringify([{ Config: 'c', RepoTags: ['a:1'], Layers: ['l'] }])
    for (const layer of [tarOf({ x: 'x' }), Buffer.alloc(0)]) {
      const path = join(w.path, 'box.tar')
      await writeFile(path, pack(tarOf({ l: layer, c: config, 'manifest.json': manifest })))
      await expect(w.open(`docker-archive:${path}`)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
    }
  })
})

describe('archives', () => {
  const layerA = tarOf({ 'etc/hello': 'a\n' })
  const layerB = tarOf({ 'etc/hello': 'b\n' })
  const config = (...layers: Buffer[]) =>
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
    })

  it('reads docker save of old, with a layer that is a link', async () => {
    await using w = await world()
    const manifest = [
      { Config: 'a.json', RepoTags: ['box:1', 'localhost/box:one'], Layers: ['1/layer.tar'] },
      { Config: 'b.json', RepoTags: null, Layers: ['1/layer.tar', '2/layer.tar'] },
    ]
    const files = tarOf({
      '1/layer.tar': layerA,
      'a.json': config(layerA),
      'b.json': config(layerA, layerA),
      'manifest.json': JSON.stringify(manifest),
    })
    const link = tarHeader('2/layer.tar', 0, '2', '../1/layer.tar')
    const path = join(w.path, 'box.tar')
    await writeFile(path, Buffer.concat([link, files]))
    await expect(w.open(path)).rejects.toThrow('has 2 images: @0 (box:1, localhost/box:one), @1 (no tag)')
    await using byTag = await w.open(`docker-archive:${path}:docker.io/library/box:1`)
    expect(byTag).toMatchObject({ name: 'box-1', digest: digestOf(config(layerA)) })
    expect(await textOf(byTag, 'etc/hello')).toBe('a\n')
    await using byIndex = await w.open(`docker-archive:${path}:@1`)
    expect(byIndex.layers).toHaveLength(2)
    await expect(w.open(`docker-archive:${path}:box:9`)).rejects.toThrow(code('C2M_IMAGE_NOT_FOUND'))
  })

  it('reads docker save since version 25, which is an OCI layout too', async () => {
    await using w = await world()
    const blob = (bytes: Buffer | string) => `blobs/sha256/${digestOf(bytes).slice(7)}`
    const packed = gzipSync(layerA)
    const saved = [{ Config: blob(config(layerA)), RepoTags: ['box:25'], Layers: [blob(packed)] }]
    const path = join(w.path, 'box.tar')
    const files = {
      'oci-layout': '{}',
      'index.json': '{"schemaVersion":2,"manifests":[]}',
      'manifest.json': JSON.stringify(saved),
    }
    await writeFile(path, tarOf({ ...files, [blob(config(layerA))]: config(layerA), [blob(packed)]: packed }))
    await using image = await w.open(path)
    expect(await textOf(image, 'etc/hello')).toBe('a\n')
  })

  it('reads a compressed archive, and refuses layers that are not what their diff_ids say', async () => {
    await using w = await world()
    const save = (layer: Buffer) =>
      tarOf({
        l: layer,
        c: config(layerA),
        'manifest.json': JSON.stringify([{ Config: 'c', RepoTags: [], Layers: ['l'] }]),
      })
    const path = join(w.path, 'box.tar.gz')
    await writeFile(path, gzipSync(save(layerB)))
    await expect(w.open(path)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
    await writeFile(path, gzipSync(save(layerA)))
    await using image = await w.open(path)
    expect(await textOf(image, 'etc/hello')).toBe('a\n')
  })

  it.each([
    ['a path that climbs', [{ Config: '../../../../../etc/passwd', Layers: [] }], /has no file|is not valid JSON/],
    ['layers that are not there', [{ Config: 'c', Layers: ['nope'] }], 'has no file nope'],
    ['a wrong type', [{ Config: 'c', Layers: 'l' }], 'is not a JSON array'],
    ['no image', [], 'has no image at all'],
    ['too few layers', [{ Config: 'c', Layers: [] }], 'names 0 layers'],
  ])('refuses %s in manifest.json', async (_, manifest, why) => {
    await using w = await world()
    const path = join(w.path, 'box.tar')
    await writeFile(path, tarOf({ l: layerA, c: config(layerA), 'manifest.json': JSON.stringify(manifest) }))
    await expect(w.open(`docker-archive:${path}`)).rejects.toThrow(why)
  })

  it('says that a disk is no archive, and refuses what is neither file nor folder', async () => {
    await using w = await world()
    await writeFile(join(w.path, 'disk.tar'), Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(1000)]))
    await expect(w.open(join(w.path, 'disk.tar'))).rejects.toThrow('is a disk, not an image archive')
    await writeFile(join(w.path, 'short.tar'), 'x')
    await expect(w.open(join(w.path, 'short.tar'))).rejects.toThrow(code('C2M_IMAGE_ARCHIVE'))
    await expect(w.open('/dev/null')).rejects.toThrow(code('C2M_IMAGE_NOT_FOUND'))
    await expect(w.open('./nothing-here.tar')).rejects.toThrow(code('C2M_FILE_ENOENT'))
  })

  it('tells a blank disk from an archive without reading it, also when it comes in a stream', async () => {
    await using w = await world()
    const blank = join(w.path, 'blank.tar')
    await writeFile(blank, '')
    await truncate(blank, 8 * 1024 ** 4)
    let read = 0
    async function* zeros() {
      for (; ; read += 65536) yield Buffer.alloc(65536)
    }
    for (const reference of [blank, `tarball:${blank}`, `docker-archive:${blank}`, `oci-archive:${blank}`, 'tarball:-'])
      await expect(w.open(reference, { stdin: zeros() })).rejects.toThrow('begins with zeros: it is a blank disk')
    await writeFile(join(w.path, 'blank.gz'), gzipSync(Buffer.alloc(2_000_000)))
    await expect(w.open(join(w.path, 'blank.gz'))).rejects.toThrow(code('C2M_IMAGE_ARCHIVE'))
    expect(read).toBeLessThan(2_000_000)
    const noise = join(w.path, 'noise')
    await writeFile(noise, 'no header')
    await truncate(noise, 8 * 1024 ** 4)
    await expect(w.open(`tarball:${noise}`)).rejects.toThrow(`${noise} is not a tar archive`)
    expect(await w.cached()).toEqual([])
  })

  it.each([1024, 10240, 1024 * 1024])('takes %i zeros for an archive without members', async (size) => {
    await using w = await world()
    await writeFile(join(w.path, 'empty.tar'), Buffer.alloc(size))
    await using image = await w.open(join(w.path, 'empty.tar'))
    expect(image.layers[0]?.entries).toEqual([])
  })
})

describe('bare root file systems', () => {
  it('reads a tar, compressed or not, from a file or standard input: the same identity', async () => {
    await using w = await world()
    const tar = tarOf({ 'etc/hello': 'hello\n' })
    await writeFile(join(w.path, 'root.tar'), tar)
    await writeFile(join(w.path, 'root.tgz'), gzipSync(tar))
    async function* stdin() {
      yield gzipSync(tar)
    }
    for (const reference of [`tarball:${w.path}/root.tar`, `${w.path}/root.tgz`, 'tarball:-']) {
      await using image = await w.open(reference, { stdin: stdin() })
      expect(image).toMatchObject({
        digest: digestOf(tar),
        diffIds: [digestOf(tar)],
        config: { env: [] },
        rawConfig: {},
        architecture: 'amd64',
      })
      expect(await textOf(image, 'etc/hello')).toBe('hello\n')
    }
    expect(await w.cached()).toEqual([])
  })

  it.skipIf(getfattr === undefined)('reads a folder, which has no digest', async () => {
    await using w = await world()
    const root = join(w.path, 'root')
    await mkdir(join(root, 'etc'), { recursive: true })
    await writeFile(join(root, 'etc/hello'), 'hello\n')
    await symlink('/etc/passwd', join(root, 'etc/passwd'))
    await using image = await w.open(`dir:${root}`)
    expect(image).toMatchObject({ diffIds: [], layers: [] })
    expect(image.digest).toBeUndefined()
    expect(await textOf(image, 'etc/hello')).toBe('hello\n')
  })
})

describe('daemons that are not there', () => {
  it('are an error only when asked for', async () => {
    await using w = await world()
    await expect(w.open('docker-daemon:alpine')).rejects.toThrow(code('C2M_DAEMON_UNREACHABLE'))
    await expect(w.open('container:web')).rejects.toThrow(expect.objectContaining({ exitCode: 3 }) as Error)
    await expect(w.open('docker-daemon:alpine', { env: { DOCKER_HOST: 'ssh://host' } })).rejects.toThrow(
      code('C2M_DAEMON_ADDRESS'),
    )
    await expect(w.open('127.0.0.1:1/alpine')).rejects.toThrow(code('C2M_REGISTRY_UNREACHABLE'))
  })
})
