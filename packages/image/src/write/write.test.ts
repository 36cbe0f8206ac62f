import { writeFileSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openImage } from '../open.js'
import { digestOf, tarOf, temporary } from '../testing/layout.js'
import { imageOf, interruptedLayer, layerOf } from '../testing/new-image.js'
import type { WriteImageOptions } from './new-image.js'
import { writeImage } from './write.js'

const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error
const LOWER = tarOf({ 'etc/hello': 'hello\n', big: new Uint8Array(700_000).fill(7) })
const UPPER = tarOf({ 'etc/other': 'other\n' })
const CONFIG = {
  user: '1000:1000',
  env: ['B=2', 'A=1'],
  entrypoint: ['/sbin/init'],
  cmd: ['--x'],
  workingDir: '/srv',
  exposedPorts: ['80/tcp'],
  stopSignal: 'SIGRTMIN+3',
  labels: { b: '2', a: '1' },
}

async function scratch() {
  const folder = await temporary()
  const at = (name: string) => join(folder.path, name)
  const options: WriteImageOptions = { cache: at('cache'), env: {} }
  return {
    ...folder,
    at,
    options,
    open: (text: string) => openImage(text, { cache: at('read'), platform: 'linux/amd64', env: {} }),
  }
}

describe('writeImage', () => {
  it.each([
    ['docker-archive:%:team/app:1', undefined],
    ['docker-archive:%:team/app:1', 'gzip' as const],
    ['oci-archive:%:1', undefined],
    ['oci-archive:%:1', 'none' as const],
    ['oci:%:1', undefined],
  ])('writes %s (%s) so that it reads as what was given', async (form, compression) => {
    await using folder = await scratch()
    const image = imageOf([LOWER, UPPER], { config: CONFIG, volumes: ['/data'], author: 'me' })
    const text = form.replace('%', folder.at('out'))
    const written = await writeImage(text, image, { ...folder.options, compression })
    await using opened = await folder.open(text)
    expect(opened.config).toEqual(CONFIG)
    expect(opened.diffIds).toEqual([digestOf(LOWER), digestOf(UPPER)])
    expect(written.layers.map(({ diffId }) => diffId)).toEqual(opened.diffIds)
    expect(written.layers.map(({ uncompressedSize }) => uncompressedSize)).toEqual([LOWER.length, UPPER.length])
    expect(opened.digest).toBe(written.manifestDigest ?? written.configDigest)
    expect(opened.rawConfig).toMatchObject({
      created: image.created,
      author: 'me',
      config: { Volumes: { '/data': {} } },
      history: [{ created_by: 'tests' }, { created_by: 'tests' }],
    })
    expect((await readdir(folder.path)).sort()).toEqual(['out', 'read'])
  })

  it('gives the same bytes for the same image', async () => {
    await using folder = await scratch()
    for (const form of ['docker-archive:%:a:1', 'oci-archive:%:1']) {
      const files = ['one', 'two'].map((name) => folder.at(`${name}-${form.slice(0, 3)}`))
      for (const [index, file] of files.entries()) {
        const labels = index === 0 ? { x: '1', y: '2' } : { y: '2', x: '1' }
        await writeImage(form.replace('%', file), imageOf([LOWER], { config: { ...CONFIG, labels } }), folder.options)
      }
      expect((await readFile(files[0]!)).equals(await readFile(files[1]!))).toBe(true)
    }
  })

  it('writes a layer that occurs twice once', async () => {
    await using folder = await scratch()
    for (const form of ['docker-archive:%', 'oci-archive:%']) {
      const file = folder.at(form.slice(0, 3))
      await writeImage(form.replace('%', file), imageOf([LOWER, LOWER, UPPER]), {
        ...folder.options,
        compression: 'none',
      })
      expect((await stat(file)).size).toBeLessThan(LOWER.length + UPPER.length + 20_000)
      await using opened = await folder.open(form.replace('%', file))
      expect(opened.diffIds).toEqual([digestOf(LOWER), digestOf(LOWER), digestOf(UPPER)])
    }
    await writeImage(`oci:${folder.at('layout')}`, imageOf([LOWER, LOWER]), folder.options)
    await using opened = await folder.open(`oci:${folder.at('layout')}`)
    expect(opened.diffIds).toHaveLength(2)
  })

  it('adds to a layout, replaces a name, and keeps what else is there', async () => {
    await using folder = await scratch()
    const path = folder.at('layout')
    await writeImage(`oci:${path}:one`, imageOf([LOWER]), folder.options)
    const index = join(path, 'index.json')
    const before = JSON.parse(await readFile(index, 'utf8')) as { manifests: object[] }
    before.manifests.push({ mediaType: 'x/y', digest: digestOf('z'), size: 1, extra: true })
    await writeFile(index, JSON.stringify({ ...before, other: 'field' }))
    await writeImage(`oci:${path}:two`, imageOf([UPPER]), folder.options)
    await writeImage(`oci:${path}:one`, imageOf([LOWER, UPPER]), { ...folder.options, tags: ['app:2'] })
    const after = JSON.parse(await readFile(index, 'utf8')) as {
      manifests: { annotations?: object; extra?: boolean }[]
    }
    expect(after).toMatchObject({ other: 'field' })
    expect(after.manifests).toHaveLength(3)
    expect(after.manifests[0]?.extra).toBe(true)
    await using one = await folder.open(`oci:${path}:one`)
    await using two = await folder.open(`oci:${path}:two`)
    expect([one.diffIds.length, two.diffIds.length]).toEqual([2, 1])
    expect((await readdir(path)).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  it('writes to standard output what it writes to a file', async () => {
    await using folder = await scratch()
    for (const transport of ['docker-archive', 'oci-archive', 'tarball']) {
      const file = folder.at(transport)
      await writeImage(`${transport}:${file}`, imageOf([LOWER]), folder.options)
      const stdout = new PassThrough({ highWaterMark: 1000 })
      const got = stdout.toArray() as Promise<Buffer[]>
      await writeImage(`${transport}:-`, imageOf([LOWER]), { ...folder.options, stdout })
      stdout.end()
      expect(Buffer.concat(await got).equals(await readFile(file))).toBe(true)
    }
    expect(await readdir(folder.at('cache/temporary'))).toEqual([])
  })

  it('says that the reader of standard output went away', async () => {
    await using folder = await scratch()
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    })
    for (const transport of ['docker-archive', 'tarball']) {
      await expect(writeImage(`${transport}:-`, imageOf([LOWER]), { ...folder.options, stdout })).rejects.toThrow(
        code('C2M_OUTPUT_CLOSED'),
      )
    }
    await expect(
      writeImage('tarball:-', imageOf([LOWER]), {
        ...folder.options,
        stdout: Object.assign(new PassThrough(), { isTTY: true }),
      }),
    ).rejects.toThrow(code('C2M_OUTPUT_TERMINAL'))
  })

  it('writes a folder for docker build, and a bare tar', async () => {
    await using folder = await scratch()
    const image = imageOf([LOWER], { config: CONFIG })
    const { nextCommand } = await writeImage(`dockerfile:${folder.at('build')}`, image, {
      ...folder.options,
      tags: ['vm:1'],
    })
    expect(nextCommand).toBe(`docker build -t vm:1 ${folder.at('build')}`)
    expect((await readdir(folder.at('build'))).sort()).toEqual(['Dockerfile', 'img.tar'])
    expect((await readFile(folder.at('build/img.tar'))).equals(LOWER)).toBe(true)
    await writeImage(`tarball:${folder.at('root.tar.gz')}`, image, { ...folder.options, compression: 'gzip' })
    expect(gunzipSync(await readFile(folder.at('root.tar.gz'))).equals(LOWER)).toBe(true)
    const two = imageOf([LOWER, UPPER])
    await expect(writeImage(`tarball:${folder.at('x.tar')}`, two, folder.options)).rejects.toThrow(
      code('C2M_IMAGE_NEW'),
    )
  })

  it('replaces nothing without being told', async () => {
    await using folder = await scratch()
    await writeFile(folder.at('file.tar'), 'mine')
    await mkdir(folder.at('folder'))
    await writeFile(folder.at('folder/Dockerfile'), 'mine')
    const exists = code('C2M_OUTPUT_EXISTS')
    for (const text of [
      'docker-archive:file.tar',
      'oci-archive:file.tar',
      'tarball:file.tar',
      'dockerfile:folder',
      'oci:folder',
    ]) {
      const [transport, name] = text.split(':') as [string, string]
      await expect(writeImage(`${transport}:${folder.at(name)}`, imageOf([LOWER]), folder.options)).rejects.toThrow(
        exists,
      )
    }
    await expect(writeImage(`oci:${folder.at('file.tar')}`, imageOf([LOWER]), folder.options)).rejects.toThrow(
      code('C2M_OUTPUT_NOT_A_FOLDER'),
    )
    const missing = `docker-archive:${folder.at('no/such/file.tar')}`
    await expect(writeImage(missing, imageOf([LOWER]), folder.options)).rejects.toThrow(code('C2M_FILE_ENOENT'))
    expect(await readFile(folder.at('file.tar'), 'utf8')).toBe('mine')
    expect(await readdir(folder.at('folder'))).toEqual(['Dockerfile'])
    await writeImage(`dockerfile:${folder.at('folder')}`, imageOf([LOWER]), { ...folder.options, force: true })
    await writeImage(`docker-archive:${folder.at('file.tar')}`, imageOf([LOWER]), { ...folder.options, force: true })
    expect(await readFile(folder.at('folder/Dockerfile'), 'utf8')).toMatch(/^FROM scratch\nADD img.tar \/\n/)
  })

  it('replaces no link, and nothing that appeared meanwhile, without being told', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('a'))
    await symlink('nowhere', folder.at('a/Dockerfile'))
    const exists = code('C2M_OUTPUT_EXISTS')
    await expect(writeImage(`dockerfile:${folder.at('a')}`, imageOf([LOWER]), folder.options)).rejects.toThrow(exists)
    expect(await readlink(folder.at('a/Dockerfile'))).toBe('nowhere')
    await mkdir(folder.at('b'))
    const appears = interruptedLayer(LOWER, () => writeFileSync(folder.at('b/Dockerfile'), 'mine'))
    await expect(writeImage(`dockerfile:${folder.at('b')}`, imageOf([appears]), folder.options)).rejects.toThrow(exists)
    expect(await readdir(folder.at('b'))).toEqual(['Dockerfile'])
    expect(await readFile(folder.at('b/Dockerfile'), 'utf8')).toBe('mine')
  })

  it.each(['docker-archive:out', 'oci-archive:out', 'tarball:out', 'oci:out', 'dockerfile:out'])(
    'writes %s for its owner only',
    async (text) => {
      await using folder = await scratch()
      for (const force of [false, true]) {
        const out = text.replace('out', folder.at('out'))
        await writeImage(out, imageOf([LOWER]), { ...folder.options, force })
        const below = await readdir(folder.at('out'), { recursive: true }).catch(() => [])
        for (const name of ['.', ...below]) {
          const { mode } = await stat(join(folder.at('out'), name === '.' ? '' : name))
          expect([name, (mode & 0o777).toString(8)]).toEqual([name, (mode & 0o170000) === 0o040000 ? '700' : '600'])
        }
      }
    },
  )

  it.each([
    'docker-archive:out.tar',
    'oci-archive:out.tar',
    'tarball:out.tar',
    'oci:new',
    'oci:old:x',
    'dockerfile:new',
    'docker-archive:-',
  ])('leaves nothing of %s when it is interrupted or the disk cannot be read', async (text) => {
    await using folder = await scratch()
    await writeImage(`oci:${folder.at('old')}:1`, imageOf([UPPER]), folder.options)
    const before = await readdir(folder.path, { recursive: true })
    const destination = text.replace(/(?<=:)(?!-)(?=new|old|out)/, `${folder.path}/`)
    const controller = new AbortController()
    const stdout = new PassThrough()
    const options = { ...folder.options, signal: controller.signal, stdout }
    const broken = interruptedLayer(LOWER, () => {
      throw new Error('bad sector')
    })
    await expect(writeImage(destination, imageOf([broken]), options)).rejects.toThrow('bad sector')
    const interrupted = interruptedLayer(LOWER, () => controller.abort())
    await expect(writeImage(destination, imageOf([interrupted]), options)).rejects.toThrow(code('C2M_INTERRUPTED'))
    const after = (await readdir(folder.path, { recursive: true })).filter(
      (name) => !/^cache(\/temporary)?$/.test(name),
    )
    expect(after.sort()).toEqual(before.sort())
  })

  it.skipIf(process.getuid?.() === 0)('says that a folder is read-only', async () => {
    await using folder = await scratch()
    await mkdir(folder.at('fixed'))
    await chmod(folder.at('fixed'), 0o555)
    for (const text of ['docker-archive:fixed/x.tar', 'oci:fixed/x', 'oci:fixed', 'dockerfile:fixed']) {
      const destination = text.replace(':', `:${folder.path}/`)
      await expect(writeImage(destination, imageOf([LOWER]), folder.options)).rejects.toThrow(code('C2M_FILE_EACCES'))
    }
    await chmod(folder.at('fixed'), 0o755)
  })

  it('refuses what no image can be', async () => {
    await using folder = await scratch()
    const write = (text: string, rest: object = {}, options: object = {}) =>
      writeImage(text, imageOf([LOWER], rest), { ...folder.options, ...options })
    const file = `docker-archive:${folder.at('x.tar')}`
    await expect(write(file, { layers: [] })).rejects.toThrow(code('C2M_IMAGE_NEW'))
    await expect(write(file, { created: 'yesterday' })).rejects.toThrow(code('C2M_IMAGE_NEW'))
    await expect(write(file, { config: { ...CONFIG, exposedPorts: ['http'] } })).rejects.toThrow(code('C2M_IMAGE_NEW'))
    await expect(write(file, {}, { level: 10, compression: 'gzip' })).rejects.toThrow(code('C2M_IMAGE_NEW'))
    await expect(write(file, {}, { compression: 'zstd' })).rejects.toThrow(code('C2M_IMAGE_DESTINATION'))
    await expect(write(file, {}, { tags: ['Bad Name'] })).rejects.toThrow(code('C2M_IMAGE_REFERENCE'))
    expect(await readdir(folder.path)).toEqual([])
  })

  it('leaves no old bytes behind where a layer occurs twice', async () => {
    await using folder = await scratch()
    const noise = tarOf({ noise: new Uint8Array(5000).fill(255) })
    await writeImage(`docker-archive:${folder.at('x.tar')}`, imageOf([noise, noise]), folder.options)
    const bytes = await readFile(folder.at('x.tar'))
    const config = 512 + noise.length
    const size = Number.parseInt(bytes.toString('latin1', config + 124, config + 135), 8)
    const padding = bytes.subarray(config + 512 + size, config + 512 + Math.ceil(size / 512) * 512)
    expect(padding.length).toBeGreaterThan(0)
    expect(padding.every((byte) => byte === 0)).toBe(true)
    expect(bytes.subarray(-1024).every((byte) => byte === 0)).toBe(true)
  })

  it('reads each layer once', async () => {
    await using folder = await scratch()
    let reads = 0
    const layer = { ...layerOf(LOWER), tar: () => (reads++, layerOf(LOWER).tar()) }
    await writeImage(`oci:${folder.at('layout')}`, imageOf([layer]), folder.options)
    expect(reads).toBe(1)
  })
})
