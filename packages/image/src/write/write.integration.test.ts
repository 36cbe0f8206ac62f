import { mkdir, readdir, readFile } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { run } from '@c2m/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openImage } from '../open.js'
import { temporary } from '../testing/layout.js'
import { imageOf } from '../testing/new-image.js'
import { lacks } from '../testing/tools.js'
import type { NewLayer, WriteImageOptions } from './new-image.js'
import { writeImage } from './write.js'

const missing = lacks('images judged by other tools', {
  tar: 'tar',
  gzip: 'gzip',
  zstd: 'zstd',
  skopeo: 'skopeo',
  umoci: 'umoci',
})
const noRoot = process.getuid?.() !== 0
if (noRoot) console.warn('skipped: umoci, podman and full disks as judges of written images need root')
const noPodman = noRoot || lacks('images loaded by podman', { podman: 'podman' })

const CONFIG = {
  env: ['A=b c'],
  entrypoint: [],
  cmd: ['/bin/sh'],
  exposedPorts: ['80/tcp'],
  labels: { who: 'tests' },
  user: '1000',
}

describe.skipIf(missing)('what other tools say of written images', () => {
  let folder: AsyncDisposable & { path: string }
  let image: ReturnType<typeof imageOf>
  let options: WriteImageOptions
  const at = (name: string) => join(folder.path, name)

  const layer = (path: string): NewLayer => ({
    createdBy: 'tests',
    tar: () => createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>,
  })

  beforeAll(async () => {
    folder = await temporary()
    // what a tree has: modes, owners, links, a program, many files, and enough bytes for several gzip blocks
    const script = `
      mkdir -p tree/bin tree/etc tree/many "tree/name with ü" && cd tree
      cp "$1" bin/program; ln bin/program bin/hard; ln -s program bin/soft; chmod 4755 bin/program
      for n in $(seq 300); do echo "$n" > many/$n; done
      head -c 3000000 /dev/urandom > etc/noise; chmod 600 etc/noise; touch -d 2001-02-03T04:05:06Z etc/noise
      cd .. && tar -C tree --numeric-owner --owner=0 --group=0 --sort=name -cf lower.tar .
      mkdir -p more/etc && echo new > more/etc/new && touch more/etc/.wh.noise
      tar -C more --numeric-owner --owner=0 --group=0 --sort=name -cf upper.tar .`
    await run('sh', ['-ec', script, 'sh', process.execPath], { cwd: folder.path })
    image = imageOf([layer(at('lower.tar')), layer(at('upper.tar'))], { config: CONFIG, volumes: ['/data'] })
    options = { cache: at('cache'), tags: ['team/app:1', 'app:latest'] }
  })
  afterAll(() => folder?.[Symbol.asyncDispose]())

  const forms = ['docker-archive:a.tar', 'oci-archive:o.tar', 'oci:layout'] as const

  it.each(forms)('skopeo inspects and copies %s', async (form) => {
    const destination = form.replace(':', `:${folder.path}/`)
    const written = await writeImage(destination, image, options)
    const source = form.startsWith('docker') ? `${destination}:app:latest` : `${destination}:1`
    const { stdout } = await run('skopeo', ['inspect', source])
    expect(JSON.parse(stdout)).toMatchObject({
      Architecture: 'amd64',
      Os: 'linux',
      Created: '2024-05-01T12:00:00Z',
      Labels: { who: 'tests' },
      Env: ['A=b c'],
      Layers: written.layers.map(({ digest }) => digest),
      ...(written.manifestDigest !== undefined && { Digest: written.manifestDigest }),
    })
    const config = JSON.parse((await run('skopeo', ['inspect', '--config', source])).stdout) as object
    expect(config).toMatchObject({ config: { Volumes: { '/data': {} }, ExposedPorts: { '80/tcp': {} }, User: '1000' } })
    // copying makes skopeo read every blob and check its digest
    await run('skopeo', ['copy', '--quiet', source, `oci:${at('copies')}:${form.split(':')[0]}`])
    await using copy = await openImage(`oci:${at('copies')}:${form.split(':')[0]}`, {
      cache: at('read'),
      platform: 'linux/amd64',
    })
    expect(copy.diffIds).toEqual(written.layers.map(({ diffId }) => diffId))
    await run('rm', ['-rf', destination.slice(destination.indexOf(':') + 1)])
  })

  it('GNU tools read the compressed layers', async () => {
    const plain = await readFile(at('lower.tar'))
    for (const compression of ['gzip', 'zstd'] as const) {
      const layout = at(`packed-${compression}`)
      const { layers } = await writeImage(`oci:${layout}:1`, image, { ...options, compression })
      const blob = join(layout, 'blobs/sha256', layers[0]!.digest.slice(7))
      await run(compression, ['-t', '-q', blob])
      const listed = await run('tar', [`--${compression}`, '-tf', blob])
      expect(listed.stdout).toBe((await run('tar', ['-tf', at('lower.tar')])).stdout)
      await run('sh', ['-ec', `${compression} -dc <"$1" | cmp - "$2"`, 'sh', blob, at('lower.tar')])
      expect(layers[0]?.uncompressedSize).toBe(plain.length)
      // the same again
      expect(
        (await writeImage(`oci:${at('again')}:${compression}`, image, { ...options, compression })).layers,
      ).toEqual(layers)
      await using opened = await openImage(`oci:${layout}:1`, {
        cache: at(`read-${compression}`),
        platform: 'linux/amd64',
      })
      expect(opened.diffIds).toEqual(layers.map(({ diffId }) => diffId))
    }
  })

  it.skipIf(noRoot)('umoci unpacks the tree that GNU tar does', async () => {
    await writeImage(`oci:${at('umoci')}:1`, image, options)
    await run('umoci', ['unpack', '--image', `${at('umoci')}:1`, at('bundle')])
    await mkdir(at('expected'))
    const script = `tar -C "$1" --numeric-owner -xpf lower.tar && tar -C "$1" --numeric-owner -xpf upper.tar && rm "$1"/etc/noise "$1"/etc/.wh.noise`
    await run('sh', ['-ec', script, 'sh', at('expected')], { cwd: folder.path })
    const list = async (tree: string) =>
      (
        await run(
          'sh',
          ['-ec', `find . -printf '%p %y %m %U %G %n %s %l\\n' | sort; find . -type f -exec sha256sum {} + | sort`],
          { cwd: tree },
        )
      ).stdout
    expect(await list(join(at('bundle'), 'rootfs'))).toBe(await list(at('expected')))
    const { process: started } = JSON.parse(await readFile(join(at('bundle'), 'config.json'), 'utf8')) as {
      process: { args: string[]; env: string[]; user: { uid: number } }
    }
    expect(started).toMatchObject({ args: ['/bin/sh'], user: { uid: 1000 } })
    expect(started.env).toContain('A=b c')
  })

  it.skipIf(noPodman)('podman loads archives', async () => {
    const store = ['--root', at('podman'), '--runroot', at('podman-run'), '--storage-driver', 'vfs']
    const podman = (...args: string[]) => run('podman', [...store, ...args])
    for (const form of ['docker-archive:p.tar', 'oci-archive:q.tar'] as const) {
      const file = at(form.split(':')[1]!)
      const { configDigest } = await writeImage(form.replace(':', `:${folder.path}/`), image, options)
      await podman('load', '-q', '-i', file)
      const found = await podman('images', '-a', '--no-trunc', '--format', '{{.ID}} {{.Repository}}:{{.Tag}}')
      expect(found.stdout).toContain(configDigest)
      if (form.startsWith('docker'))
        expect(found.stdout).toMatch(/team\/app:1[\s\S]*app:latest|app:latest[\s\S]*team\/app:1/)
      await podman('rmi', '-a', '-f')
    }
    await podman('system', 'reset', '-f').catch(() => undefined)
  })

  it.skipIf(noRoot)('says that the disk is full, and leaves nothing there', async () => {
    await mkdir(at('small'))
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', at('small')])
    try {
      for (const form of ['docker-archive:x.tar', 'oci-archive:x.tar', 'oci:x', 'tarball:x.tar', 'dockerfile:x']) {
        const one = { ...image, layers: image.layers.slice(0, 1) }
        await expect(
          writeImage(form.replace(':', `:${at('small')}/`), one, { ...options, compression: 'none' }),
        ).rejects.toThrow(
          expect.objectContaining({
            code: 'C2M_FILE_ENOSPC',
            message: expect.stringContaining(`${at('small')}/x`) as string,
          }) as Error,
        )
        expect(await readdir(at('small'))).toEqual([])
      }
    } finally {
      await run('umount', [at('small')])
    }
  })
})
