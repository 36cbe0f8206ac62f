import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { run, silentReporter } from '@c2m/process'
import { startDockerRegistry, type DockerRegistry } from '@c2m/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openImage } from '../open.js'
import { tarOf, temporary } from '../testing/layout.js'
import { imageOf, interruptedLayer } from '../testing/new-image.js'
import { lacks } from '../testing/tools.js'
import type { WriteImageOptions } from '../write/new-image.js'
import { writeImage } from '../write/write.js'

const missing = lacks('pushes to a real registry', {
  'docker-registry': 'docker-registry',
  htpasswd: 'apache2-utils',
  skopeo: 'skopeo',
})
const USER = 'anna:s3cret-word'
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error

describe.skipIf(missing)('a real registry that is pushed to', () => {
  let folder: AsyncDisposable & { path: string }
  let registry: DockerRegistry
  const lower = tarOf({ 'etc/hello': 'hello\n', noise: randomBytes(20_000_000) })
  const upper = tarOf({ 'etc/other': 'other\n' })
  const image = imageOf([lower, upper], { annotations: { 'org.opencontainers.image.title': 'test' } })

  beforeAll(async () => {
    folder = await temporary()
    registry = await startDockerRegistry(USER)
  })
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  async function options(name: string, host = registry.host, credentials = USER) {
    const home = join(folder.path, 'home', name.replaceAll('/', '-'))
    await mkdir(home, { recursive: true })
    const auths = credentials === '' ? {} : { [host]: { auth: btoa(credentials) } }
    await writeFile(join(home, 'config.json'), JSON.stringify({ auths }))
    const env = { DOCKER_CONFIG: home, HOME: home, DOCKER_HOST: `unix://${home}/no.sock`, PATH: process.env.PATH }
    const details: string[] = []
    const reporter = { ...silentReporter, detail: (message: string) => details.push(message) }
    const writing: WriteImageOptions = { cache: join(home, 'cache'), env, retryDelay: 10, reporter }
    return { details, writing }
  }
  const temporaryFiles = (options: WriteImageOptions) => readdir(join(options.cache, 'temporary'))

  it('gives skopeo and c2m what was pushed; blobs that are there are not sent again', async () => {
    const { details, writing } = await options('push')
    const name = `${registry.host}/legacy/server`
    const written = await writeImage(`docker://${name}:1`, image, { ...writing, tags: [`${name}:latest`, 'other:2'] })
    expect(details.filter((detail) => detail.startsWith('sending'))).toHaveLength(3)
    expect(await temporaryFiles(writing)).toEqual([])

    const skopeo = ['--tls-verify=false', '--creds', USER]
    const inspected = JSON.parse((await run('skopeo', ['inspect', ...skopeo, `docker://${name}:1`])).stdout) as object
    expect(inspected).toMatchObject({
      Digest: written.manifestDigest,
      RepoTags: expect.arrayContaining(['1', 'latest']) as string[],
      Layers: written.layers.map(({ digest }) => digest),
    })
    const copy = join(folder.path, 'copy')
    await run('skopeo', [
      'copy',
      '-q',
      '--src-tls-verify=false',
      '--src-creds',
      USER,
      `docker://${name}:latest`,
      `oci:${copy}:1`,
    ])
    await using pulled = await openImage(`docker://${name}:1`, { ...writing, platform: 'linux/amd64' })
    expect(pulled.digest).toBe(written.manifestDigest)
    expect(pulled.diffIds).toEqual(written.layers.map(({ diffId }) => diffId))

    const again = await options('again')
    expect((await writeImage(`docker://${name}:2`, image, again.writing)).manifestDigest).toBe(written.manifestDigest)
    expect(again.details.filter((detail) => detail.startsWith('sending'))).toEqual([])

    const mounted = await options('mount')
    const mountFrom = ['legacy/server']
    await writeImage(`docker://${registry.host}/new/place:1`, image, { ...mounted.writing, mountFrom })
    expect(mounted.details.filter((detail) => detail.includes('taken over from legacy/server'))).toHaveLength(3)
    await run('skopeo', ['inspect', ...skopeo, `docker://${registry.host}/new/place:1`])
  })

  it.each(['zstd', 'none'] as const)('takes layers compressed by %s', async (compression) => {
    const { writing } = await options(compression)
    const name = `docker://${registry.host}/packed/${compression}:1`
    const written = await writeImage(name, image, { ...writing, compression })
    await using pulled = await openImage(name, { ...writing, platform: 'linux/amd64' })
    expect(pulled.digest).toBe(written.manifestDigest)
  })

  it('says who may not push before any layer is read, without the password', async () => {
    let reads = 0
    const watched = imageOf([
      {
        createdBy: 'tests',
        async *tar() {
          reads++
          yield upper
        },
      },
    ])
    for (const credentials of ['', 'anna:wrong-word']) {
      const { writing } = await options(`denied${credentials.length}`, registry.host, credentials)
      const error = await writeImage(`docker://${registry.host}/a/b:1`, watched, writing).then(
        () => expect.unreachable(),
        (thrown: Error & { hint: string }) => thrown,
      )
      expect(error).toMatchObject({
        code: 'C2M_REGISTRY_DENIED',
        message: expect.stringContaining('write to a/b') as string,
      })
      expect(`${error.message} ${error.hint} ${String(error.stack)}`).not.toMatch(/s3cret|wrong-word|YW5uYT/)
    }
    expect(reads).toBe(0)
  })

  it('leaves no tag and no temporary file when it is interrupted', async () => {
    const { writing } = await options('interrupted')
    const controller = new AbortController()
    const stopping = imageOf([upper, interruptedLayer(lower, () => controller.abort())])
    const name = `docker://${registry.host}/interrupted/image:1`
    await expect(writeImage(name, stopping, { ...writing, signal: controller.signal })).rejects.toThrow(
      code('C2M_INTERRUPTED'),
    )
    expect(await temporaryFiles(writing)).toEqual([])
    await expect(openImage(name, { ...writing, platform: 'linux/amd64' })).rejects.toThrow(code('C2M_IMAGE_NOT_FOUND'))
  })

  describe('behind a proxy', () => {
    let proxy: Server
    let host: string
    let seen: string[] = []
    /** What to do with a request, after `sent` bytes of its body went by: pass it on, break the connection, or answer. */
    let rule: (
      method: string,
      path: string,
      sent: number,
      headers: NodeJS.Dict<string | string[]>,
    ) => 'pass' | 'break' | number

    beforeAll(async () => {
      proxy = createServer((incoming, outgoing) => {
        const [hostname, port] = registry.host.split(':')
        const { method = '', url = '', headers } = incoming
        seen.push(`${method} ${url.replace(/[?].*/, '')} ${String(headers['content-range'] ?? '')}`.trim())
        const first = rule(method, url, 0, headers)
        if (first === 'break') {
          incoming.socket.destroy()
          return
        }
        if (typeof first === 'number') {
          incoming.resume()
          outgoing.writeHead(first, { 'content-type': 'application/json' })
          outgoing.end('{"errors":[{"code":"UNSUPPORTED"}]}')
          return
        }
        const forwarded = httpRequest({ hostname, port, path: url, method, headers, agent: false }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(outgoing)
          if (rule(method, `answer ${url}`, 0, headers) === 'break') incoming.socket.destroy()
        })
        forwarded.on('error', () => outgoing.destroy())
        let sent = 0
        incoming.on('data', (chunk: Buffer) => {
          sent += chunk.length
          if (rule(method, url, sent, headers) !== 'break') return forwarded.write(chunk)
          // what was passed on so far reaches the registry
          forwarded.end()
          forwarded.destroy()
          incoming.socket.destroy()
        })
        incoming.on('end', () => forwarded.end())
        incoming.on('error', () => forwarded.destroy())
      })
      proxy.listen(0, '127.0.0.1')
      await once(proxy, 'listening')
      host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
    })
    beforeEach(() => {
      seen = []
    })
    afterAll(async () => {
      proxy?.closeAllConnections()
      await new Promise((resolve) => proxy.close(resolve))
    })

    const pushed = async (name: string) => {
      await using pulled = await openImage(`docker://${registry.host}/${name}`, {
        ...(await options(`check-${name.replace(/\W/g, '-')}`)).writing,
        platform: 'linux/amd64',
      })
      return pulled.digest
    }

    it('sends a blob again when its connection broke', async () => {
      let breaks = 0
      rule = (method, _path, sent) =>
        method === 'PATCH' && sent > 3_000_000 && breaks < 3 ? (breaks++, 'break') : 'pass'
      const { writing } = await options('flaky', host)
      const written = await writeImage(`docker://${host}/flaky/image:1`, image, writing)
      expect(breaks).toBe(3)
      expect(await pushed('flaky/image:1')).toBe(written.manifestDigest)
      // this registry forgets an upload that broke off in the middle of a request, so it begins anew
      expect(seen.filter((line) => line.startsWith('POST')).length).toBeGreaterThan(3)
    })

    it('does not mind a lost answer', async () => {
      let lost = 0
      rule = (method, path) => (method === 'PUT' && path.startsWith('answer') && lost < 2 ? (lost++, 'break') : 'pass')
      const { writing } = await options('lost', host)
      const written = await writeImage(`docker://${host}/lost/image:1`, image, writing)
      expect(await pushed('lost/image:1')).toBe(written.manifestDigest)
    })

    it.each(['uploads only', 'everything'])(
      'gives up when %s breaks from then on, without leaving a tag',
      async (what) => {
        let dead = false
        rule = (method, _path, sent) => {
          if (method === 'PATCH' && sent > 100_000) dead = true
          return dead && (what === 'everything' || method === 'PATCH') ? 'break' : 'pass'
        }
        const name = `dead/${what.replace(' ', '-')}`
        const { writing } = await options(name, host)
        await expect(writeImage(`docker://${host}/${name}:1`, image, writing)).rejects.toThrow(
          /the upload of sha256:\w+ to .* breaks off at byte \d+ of \d+/,
        )
        expect(await temporaryFiles(writing)).toEqual([])
        rule = () => 'pass'
        await expect(pushed(`${name}:1`)).rejects.toThrow(code('C2M_IMAGE_NOT_FOUND'))
      },
    )

    it('gives a registry that knows no OCI manifests one of Docker', async () => {
      rule = (method, path, _sent, headers) =>
        method === 'PUT' && path.includes('/manifests/') && String(headers['content-type']).includes('oci')
          ? 400
          : 'pass'
      const { writing } = await options('old', host)
      const written = await writeImage(`docker://${host}/old/image:1`, image, writing)
      const skopeo = [
        'inspect',
        '--raw',
        '--tls-verify=false',
        '--creds',
        USER,
        `docker://${registry.host}/old/image:1`,
      ]
      expect((JSON.parse((await run('skopeo', skopeo)).stdout) as { mediaType: string }).mediaType).toBe(
        'application/vnd.docker.distribution.manifest.v2+json',
      )
      expect(await pushed('old/image:1')).toBe(written.manifestDigest)
    })

    it.each([
      [403, 'C2M_REGISTRY_DENIED', /does not let you write/],
      [404, 'C2M_REGISTRY_REFUSED', /has no repository/],
      [405, 'C2M_REGISTRY_REFUSED', /takes no pushes \(UNSUPPORTED\)/],
      [418, 'C2M_REGISTRY_PROTOCOL', /status 418/],
    ])('says what status %i means', async (status, wanted, message) => {
      rule = (method) => (method === 'POST' ? status : 'pass')
      const { writing } = await options(`status${status}`, host)
      const failure = writeImage(`docker://${host}/a/b:1`, image, writing)
      await expect(failure).rejects.toThrow(message)
      await expect(failure).rejects.toThrow(code(wanted))
    })

    it('says that a blob is too large', async () => {
      rule = (method) => (method === 'PATCH' ? 413 : 'pass')
      const { writing } = await options('large', host)
      await expect(writeImage(`docker://${host}/a/b:1`, image, writing)).rejects.toThrow(/takes no blobs of this size/)
    })

    it('stops at once when interrupted while it sends', async () => {
      const controller = new AbortController()
      rule = (method, _path, sent) => {
        if (method === 'PATCH' && sent > 1_000_000) controller.abort()
        return 'pass'
      }
      const { writing } = await options('stop', host)
      await expect(
        writeImage(`docker://${host}/stop/image:1`, image, { ...writing, signal: controller.signal }),
      ).rejects.toThrow(code('C2M_INTERRUPTED'))
      expect(await temporaryFiles(writing)).toEqual([])
    })
  })
})
