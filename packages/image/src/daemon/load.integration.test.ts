import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createReadStream } from 'node:fs'
import { findTool, run } from '@c2m/process'
import { startDockerDaemon, type DockerDaemon } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tarOf, temporary } from '../testing/layout.js'
import { imageOf, interruptedLayer } from '../testing/new-image.js'
import { lacks } from '../testing/tools.js'
import type { NewLayer, WriteImageOptions } from '../write/new-image.js'
import { writeImage } from '../write/write.js'

const noRoot = process.getuid?.() !== 0
if (noRoot) console.warn('skipped: giving images to a real Docker daemon needs root to start one')
const missing =
  noRoot ||
  lacks('images given to a real Docker daemon', {
    dockerd: 'docker.io',
    docker: 'docker.io',
    busybox: 'busybox-static',
    tar: 'tar',
  })

const CONFIG = {
  env: ['PATH=/bin', 'HARD=x "y" $PATH \\ z\'s', 'EMPTY='],
  entrypoint: ['/bin/sh', '-c'],
  cmd: ['echo "$HARD"; pwd; id -u; cat /etc/upper'],
  exposedPorts: ['80/tcp', '53/udp'],
  labels: { 'a b': 'c "d" $e', plain: "it's" },
  workingDir: '/a b/$c',
  user: '1000:1000',
  stopSignal: 'SIGRTMIN+3',
}
const SAID = 'x "y" $PATH \\ z\'s\n/a b/$c\n1000\nupper\n'

describe.skipIf(missing)('a real Docker daemon that is given images', () => {
  let folder: AsyncDisposable & { path: string }
  let daemon: DockerDaemon
  let options: WriteImageOptions
  const at = (name: string) => join(folder.path, name)
  const docker = (...args: string[]) => run('docker', args, { env: daemon.env })
  const layer = (path: string): NewLayer => ({
    createdBy: 'c2m tests',
    tar: () => createReadStream(path) as AsyncIterable<Uint8Array>,
  })
  const image = (names: readonly string[]) =>
    imageOf(
      names.map((name) => layer(at(name))),
      { config: CONFIG, volumes: ['/data', '/v $x'], author: 'tests' },
    )

  beforeAll(async () => {
    folder = await temporary()
    daemon = await startDockerDaemon()
    await mkdir(at('tree/bin'), { recursive: true })
    await mkdir(at('tree/a b/$c'), { recursive: true })
    await mkdir(at('tree/etc'))
    await copyFile((await findTool('busybox'))!, at('tree/bin/busybox'))
    for (const name of ['sh', 'id', 'cat', 'pwd']) await run('ln', ['-s', 'busybox', at(`tree/bin/${name}`)])
    await run('tar', ['-C', at('tree'), '-cf', at('lower.tar'), '.'])
    await writeFile(at('tree/etc/upper'), 'upper\n')
    await run('tar', ['-C', at('tree'), '-cf', at('upper.tar'), 'etc/upper'])
    await run('tar', ['-C', at('tree'), '-cf', at('whole.tar'), '.'])
    options = { cache: at('cache'), env: daemon.env }
  })
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const inspect = async (name: string) =>
    (
      JSON.parse((await docker('image', 'inspect', name)).stdout) as {
        Id: string
        Config: object
        RootFS: { Layers: string[] }
      }[]
    )[0]!
  const EXPECTED = {
    Env: CONFIG.env,
    Entrypoint: CONFIG.entrypoint,
    Cmd: CONFIG.cmd,
    WorkingDir: CONFIG.workingDir,
    User: CONFIG.user,
    Labels: CONFIG.labels,
    StopSignal: CONFIG.stopSignal,
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Volumes: { '/data': {}, '/v $x': {} },
  }
  const says = async (name: string) => (await docker('run', '--rm', '--network=none', name)).stdout

  it.each([undefined, 'gzip' as const])(
    'loads an archive with layers compressed by %s, and runs it',
    async (compression) => {
      const name = `loaded:${compression ?? 'none'}`
      const file = at(`${compression ?? 'none'}.tar`)
      const written = await writeImage(`docker-archive:${file}:${name}`, image(['lower.tar', 'upper.tar']), {
        ...options,
        compression,
        tags: ['other/name:2'],
      })
      expect(written.nextCommand).toBe(`docker load -i ${file}`)
      await run('sh', ['-ec', written.nextCommand], { env: daemon.env })
      const found = await inspect(name)
      expect(found).toMatchObject({ Id: written.configDigest, Config: EXPECTED })
      expect(found.RootFS.Layers).toEqual(written.layers.map(({ diffId }) => diffId))
      expect((await inspect('other/name:2')).Id).toBe(written.configDigest)
      expect(await says(name)).toBe(SAID)
      expect((await docker('history', name)).stdout).toContain('c2m tests')
    },
  )

  it('takes an image over its socket', async () => {
    const written = await writeImage('docker-daemon:direct:1', image(['lower.tar', 'upper.tar']), options)
    expect((await inspect('direct:1')).Id).toBe(written.configDigest)
    expect(written.nextCommand).toBe('docker run --rm -it direct:1')
    expect(await says('direct:1')).toBe(SAID)
    expect(await readdir(at('cache/temporary'))).toEqual([])
  })

  it.for(['0', '1'])('builds the folder with its Dockerfile, BuildKit %s', async (buildkit, test) => {
    // Debian's docker has BuildKit built in, newer ones want a plugin for it
    const env = { ...daemon.env, DOCKER_BUILDKIT: buildkit, PATH: `/usr/bin:${process.env.PATH}` }
    if (buildkit === '1' && !(await hasBuildKit(env))) {
      console.warn('skipped: BuildKit as judge of a Dockerfile (apt-get install docker-buildx)')
      return test.skip()
    }
    const path = at(`build-${buildkit}`)
    const tags = [`built:${buildkit}`]
    const written = await writeImage(`dockerfile:${path}`, image(['whole.tar']), { ...options, tags })
    await run('sh', ['-ec', written.nextCommand], { env })
    expect((await inspect(`built:${buildkit}`)).Config).toMatchObject(EXPECTED)
    expect(await says(`built:${buildkit}`)).toBe(SAID)
  })

  async function hasBuildKit(env: NodeJS.ProcessEnv): Promise<boolean> {
    const { stdout } = await run('docker', ['version', '-f', '{{.Client.Version}}'], { env })
    if (Number.parseInt(stdout, 10) < 23) return true
    return (await run('docker', ['buildx', 'version'], { env, accept: [0, 1] })).exitCode === 0
  }

  it('imports a bare tar with the command that is told', async () => {
    const written = await writeImage(`tarball:${at('root.tar')}`, image(['whole.tar']), {
      ...options,
      tags: ['imported:1'],
    })
    await run('sh', ['-ec', written.nextCommand], { env: daemon.env })
    const { StopSignal: _, ...importable } = EXPECTED // `docker import` takes no STOPSIGNAL
    expect((await inspect('imported:1')).Config).toMatchObject(importable)
    expect(await says('imported:1')).toBe(SAID)
  })

  it('says what the daemon refused, and leaves nothing behind', async () => {
    const noTar = imageOf([new TextEncoder().encode('this is no tar archive'.repeat(100))])
    await expect(writeImage('docker-daemon:bad:1', noTar, options)).rejects.toThrow(
      expect.objectContaining({ code: 'C2M_DAEMON_FAILED' }) as Error,
    )
    const controller = new AbortController()
    const interrupted = imageOf([interruptedLayer(tarOf({ a: 'b' }), () => controller.abort())])
    await expect(
      writeImage('docker-daemon:bad:2', interrupted, { ...options, signal: controller.signal }),
    ).rejects.toThrow('interrupted')
    expect((await docker('images', '-q', 'bad')).stdout).toBe('')
    expect(await readdir(at('cache/temporary'))).toEqual([])
  })
})
