import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { run, silentReporter } from '@c2m/process'
import { startDockerRegistry, type DockerRegistry } from '@c2m/testkit'
import { compareRootfs } from '@c2m/rootfs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenImageOptions } from '../image.js'
import { openImage } from '../open.js'
import { LayoutBuilder, tarOf, temporary } from '../testing/layout.js'
import { lacks, realLayout } from '../testing/tools.js'

const missing = lacks('pulls from a real registry', {
  'docker-registry': 'docker-registry',
  htpasswd: 'apache2-utils',
  skopeo: 'skopeo',
})
const busybox = realLayout('busybox-glibc')
const USER = 'anna:s3cret-word'
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error

describe.skipIf(missing)('a real registry', () => {
  let folder: AsyncDisposable & { path: string }
  let registry: DockerRegistry
  let host: string
  let digest: string
  let bigTar: Buffer

  beforeAll(async () => {
    folder = await temporary()
    registry = await startDockerRegistry(USER)
    host = registry.host

    // three layers of noise, so that a transfer can break in the middle
    const layout = new LayoutBuilder(join(folder.path, 'big'))
    bigTar = tarOf({ noise: randomBytes(8_000_000) })
    const layers = [tarOf({ 'etc/hello': 'hello\n' }), bigTar, tarOf({ 'etc/other': 'x', 'etc/.wh.hello': '' })]
    digest = (await layout.image({ layers, platform: { os: 'linux', architecture: 'amd64' } })).digest
    await layout.write()
    await push(layout.path, 'team/big:1.0')
    const arm = new LayoutBuilder(join(folder.path, 'arm'))
    await arm.image({ platform: { os: 'linux', architecture: 'arm64' } })
    await arm.write()
    await push(arm.path, 'team/arm:1.0')
  })

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const push = (layout: string, name: string) =>
    run('skopeo', [
      'copy',
      '--quiet',
      '--dest-tls-verify=false',
      '--dest-creds',
      USER,
      `oci:${layout}`,
      `docker://${host}/${name}`,
    ])

  async function options(name: string, credentials: string | undefined = USER): Promise<OpenImageOptions> {
    const home = join(folder.path, 'home', name)
    const auths = credentials === '' ? {} : { [host]: { auth: btoa(credentials) } }
    await run('mkdir', ['-p', home])
    await writeFile(join(home, 'config.json'), JSON.stringify({ auths }))
    // no daemon, and none of this machine's credentials
    const env = { DOCKER_CONFIG: home, HOME: home, DOCKER_HOST: `unix://${home}/no.sock`, PATH: process.env.PATH }
    return { cache: join(home, 'cache'), env, platform: 'linux/amd64', retryDelay: 10 }
  }

  it('gives what skopeo copies, by tag and by digest; the second time from the cache', async () => {
    const opening = await options('pull')
    const copy = join(folder.path, 'copy')
    await run('skopeo', [
      'copy',
      '--quiet',
      '--src-tls-verify=false',
      '--src-creds',
      USER,
      `docker://${host}/team/big:1.0`,
      `oci:${copy}:1.0`,
    ])
    await using image = await openImage(`${host}/team/big:1.0`, opening)
    expect(image).toMatchObject({ name: 'big-1.0', digest, architecture: 'amd64' })
    await using copied = await openImage(`oci:${copy}:1.0`, await options('copy'))
    expect(copied.diffIds).toEqual(image.diffIds)
    await using a = await image.rootfs()
    await using b = await copied.rootfs()
    expect(await compareRootfs(a, b)).toEqual([])
    expect(await a.stat('etc/hello')).toBeUndefined()
    const blobs = await readdir(join(opening.cache, 'blobs/sha256'))
    expect(blobs).toContain(digest.slice(7))
    expect(blobs).toHaveLength(5)

    let bytes = 0
    const counting = { ...silentReporter, progress: (more: number) => (bytes += more) }
    await using again = await openImage(`docker://${host}/team/big@${digest}`, {
      ...opening,
      env: { ...opening.env, DOCKER_CONFIG: '/nowhere' },
      reporter: counting,
    })
    expect(again.diffIds).toEqual(image.diffIds)
    expect(bytes).toBe(0)
  })

  it.skipIf(busybox === undefined)('gives a real image, entry by entry what its layout has', async () => {
    await push(busybox!, 'busybox:1.38')
    await using pulled = await openImage(`docker://${host}/busybox:1.38`, await options('busybox'))
    await using local = await openImage(`oci:${busybox!}`, await options('local'))
    expect(pulled.digest).toBe(local.digest)
    await using a = await pulled.rootfs()
    await using b = await local.rootfs()
    expect(await compareRootfs(a, b)).toEqual([])
  })

  it('says who may not, what is not there, and for which platform it is; without the password', async () => {
    const failure = async (name: string, opening: OpenImageOptions) => {
      const error = await openImage(`docker://${host}/${name}`, opening).then(
        () => expect.unreachable(),
        (thrown: unknown) => thrown as Error & { code: string; hint: string },
      )
      expect(`${error.message} ${error.hint} ${String(error.stack)}`).not.toMatch(/s3cret|wrong-word|YW5uYT/)
      return error
    }
    expect(await failure('team/big:1.0', await options('nobody', ''))).toMatchObject({
      code: 'C2M_REGISTRY_DENIED',
      hint: expect.stringContaining(`docker login ${host}`) as string,
    })
    expect((await failure('team/big:1.0', await options('wrong', 'anna:wrong-word'))).code).toBe('C2M_REGISTRY_DENIED')
    expect((await failure('team/big:9', await options('tag'))).message).toContain("has no tag '9' in team/big")
    expect((await failure('team/nothing:1', await options('name'))).code).toBe('C2M_IMAGE_NOT_FOUND')
    expect((await failure('team/arm:1.0', await options('arm'))).message).toContain(
      'has no image for linux/amd64; it has linux/arm64',
    )
    expect((await failure(`team/big@sha256:${'1'.repeat(64)}`, await options('digest'))).code).toBe(
      'C2M_IMAGE_NOT_FOUND',
    )
  })

  describe('behind a proxy that fails', () => {
    let proxy: Server
    let tamper: (path: string, chunk: Buffer, sent: number) => Buffer | 'break'
    let ranges: (string | undefined)[] = []

    beforeAll(async () => {
      proxy = createServer((incoming, outgoing) => {
        const [hostname, port] = host.split(':')
        ranges.push(incoming.headers.range)
        const forwarded = httpRequest(
          { hostname, port, path: incoming.url, headers: incoming.headers, agent: false },
          (answer) => {
            outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
            let sent = 0
            answer.on('data', (chunk: Buffer) => {
              const passed = outgoing.destroyed ? 'break' : tamper(incoming.url ?? '', chunk, sent)
              if (passed === 'break') {
                answer.destroy()
                incoming.socket.destroy()
                return
              }
              sent += passed.length
              outgoing.write(passed)
            })
            answer.on('end', () => outgoing.end())
          },
        )
        forwarded.on('error', () => outgoing.destroy())
        forwarded.end()
      })
      proxy.listen(0, '127.0.0.1')
      await once(proxy, 'listening')
    })

    afterAll(async () => {
      proxy?.closeAllConnections()
      await new Promise((resolve) => proxy.close(resolve))
    })

    async function behind(name: string): Promise<{ reference: string; opening: OpenImageOptions }> {
      const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
      const opening = await options(name)
      await writeFile(
        join(folder.path, 'home', name, 'config.json'),
        JSON.stringify({ auths: { [address]: { auth: btoa(USER) } } }),
      )
      ranges = []
      return { reference: `${address}/team/big:1.0`, opening }
    }

    it('goes on with a blob where its connection broke', async () => {
      let breaks = 0
      tamper = (path, chunk, sent) => (path.includes('/blobs/') && sent > 2_000_000 && breaks++ < 3 ? 'break' : chunk)
      const { reference, opening } = await behind('flaky')
      await using image = await openImage(reference, opening)
      expect(image.digest).toBe(digest)
      expect(breaks).toBeGreaterThanOrEqual(3)
      expect(ranges.filter((range) => range !== undefined).length).toBeGreaterThan(0)
      expect(await readFile(image.layers[1]!.tarPath)).toHaveLength(bigTar.length)
    })

    it('finds a changed byte, names the layer, and keeps nothing of it', async () => {
      tamper = (path, chunk, sent) => {
        if (path.includes('/blobs/') && sent <= 3_000_000 && sent + chunk.length > 3_000_000)
          chunk[3_000_000 - sent]! ^= 1
        return chunk
      }
      const { reference, opening } = await behind('corrupt')
      await expect(openImage(reference, opening)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
      await expect(openImage(reference, opening)).rejects.toThrow(
        /sha256:[0-9a-f]{64} from 127\.0\.0\.1:\d+\/team\/big:1\.0 is corrupt/,
      )
      const kept = await readdir(opening.cache, { recursive: true, withFileTypes: true })
      for (const entry of kept.filter((found) => found.isFile()))
        expect((await readFile(join(entry.parentPath, entry.name))).length).toBeLessThan(10_000)
      expect(await readdir(join(opening.cache, 'temporary'))).toEqual([])
    })

    it('refuses a manifest that is not what its digest says', async () => {
      tamper = (path, chunk) =>
        path.includes('/manifests/')
          ? Buffer.from(chunk.toString().replace('"schemaVersion"', '"SchemaVersion"'))
          : chunk
      const { reference, opening } = await behind('manifest')
      await expect(openImage(reference, opening)).rejects.toThrow(code('C2M_IMAGE_DIGEST_MISMATCH'))
    })

    it('gives up after a while, and stops at once when interrupted', async () => {
      tamper = (path, chunk) => (path.includes('/blobs/') ? 'break' : chunk)
      const { reference, opening } = await behind('dead')
      await expect(openImage(reference, opening)).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^C2M_REGISTRY_/) as string }) as Error,
      )
      const controller = new AbortController()
      tamper = (path, chunk, sent) => {
        if (path.includes('/blobs/') && sent > 1_000_000) controller.abort()
        return chunk
      }
      await expect(openImage(reference, { ...opening, signal: controller.signal })).rejects.toThrow(
        code('C2M_INTERRUPTED'),
      )
      expect(await readdir(join(opening.cache, 'temporary'))).toEqual([])
    })
  })
})
