import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { silentReporter } from '@c2m/process'
import { openStore } from '../store/store.js'
import { serve, type TestServer } from '../testing/http-server.js'
import { digestOf, temporary } from '../testing/layout.js'
import type { Credentials } from './credentials.js'
import { leadsTo } from './http.js'
import { findInRegistry } from './registry.js'
import { openSession, type Session } from './session.js'
import { hasBlob, smallBlob, startUpload, uploadBlob } from './upload.js'

const PASSWORD: Credentials = { kind: 'password', username: 'alice', password: 'registry-password' }
const BASIC = `Basic ${btoa('alice:registry-password')}`
const IDENTITY: Credentials = { kind: 'identity', token: 'refresh-token' }
/** In any form that a request could carry them. */
const SECRETS = new RegExp(`registry-password|refresh-token|${btoa('alice:registry-password')}|registry-token`)

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

function session(server: TestServer, credentials = PASSWORD, repository = 'team/app'): Promise<Session> {
  return openSession({
    signal: undefined,
    retryDelay: 1,
    registry: server.host,
    repository,
    insecure: true,
    credentials: async () => credentials,
  })
}

/** A registry without authentication, but for what `blobs` does. */
const open =
  (blobs: Handler): Handler =>
  (request, response) =>
    request.url === '/v2/' ? response.end('{}') : blobs(request, response)

/** A registry that wants to know who asks, already when its /v2/ is asked. */
const closed =
  (challenge: () => string, accepted: string, inside: Handler): Handler =>
  (request, response) =>
    request.headers.authorization === accepted
      ? inside(request, response)
      : response.writeHead(401, { 'www-authenticate': challenge() }).end()

const redirect =
  (status: number, location: () => string): Handler =>
  (_, response) =>
    response.writeHead(status, { location: location() }).end()

const refuse =
  (challenge: string): Handler =>
  (_, response) =>
    response.writeHead(401, { 'www-authenticate': challenge }).end()

const redirectError = (message: string) =>
  expect.objectContaining({
    code: 'C2M_REGISTRY_REDIRECT',
    message: expect.stringContaining(message) as string,
  }) as Error

describe('credentials of a registry', () => {
  it.each([
    ['GET', 307, 'Basic realm="storage"'],
    ['GET', 302, 'Bearer realm="REALM",service="evil"'],
    ['GET', 301, 'Bearer realm="REALM",service="evil"'],
    ['GET', 303, 'Bearer realm="REALM"'],
    ['GET', 308, 'Basic realm="REALM", Bearer realm="REALM"'],
    ['HEAD', 307, 'Bearer realm="REALM",service="evil"'],
  ] as const)('are not shown to the host that a %s leads to by %i: %s', async (method, status, challenge) => {
    for (const credentials of [PASSWORD, IDENTITY]) {
      await using tokens = await serve((_, response) => response.end('{"token":"abc"}'))
      await using storage = await serve(refuse(challenge.replaceAll('REALM', `http://${tokens.host}/token`)))
      await using registry = await serve(open(redirect(status, () => `http://${storage.host}/x`)))
      const { request } = await session(registry, credentials)
      await expect(request('blobs/x', { method, headers: {} })).rejects.toThrow(
        redirectError(`${storage.host}, where the registry ${registry.host} leads to, refuses with status 401`),
      )
      expect(storage.requests).toHaveLength(1)
      expect(tokens.requests).toHaveLength(0)
      expect(storage.seen()).not.toMatch(SECRETS)
    }
  })

  it('are not shown to a host that answers 403, nor is its challenge taken when /v2/ leads there', async () => {
    await using elsewhere = await serve((request, response) =>
      response.writeHead(request.url === '/v2/' ? 401 : 403, { 'www-authenticate': 'Basic realm="x"' }).end(),
    )
    await using registry = await serve((request, response) =>
      response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end(),
    )
    const { get } = await session(registry)
    await expect(get('manifests/1', {})).rejects.toThrow(redirectError('refuses with status 403'))
    expect(elsewhere.seen()).not.toMatch(SECRETS)
  })

  it('go with a redirect within the registry, and with none to another port', async () => {
    await using storage = await serve((_, response) => response.end('blob'))
    await using registry = await serve(
      closed(
        () => 'Basic realm="registry"',
        BASIC,
        (request, response) =>
          response
            .writeHead(307, { location: request.url === '/moved' ? `http://${storage.host}/blob` : '/moved' })
            .end(),
      ),
    )
    const { get, stranger } = await session(registry)
    const response = await get('blobs/x', {})
    expect([await response.text(), stranger(response)]).toEqual(['blob', storage.host])
    expect(registry.requests.at(-1)).toMatchObject({ url: '/moved', headers: { authorization: BASIC } })
    expect(storage.seen()).not.toMatch(SECRETS)
  })

  it('are not shown to an address of the registry that another host chose', async () => {
    await using storage = await serve(redirect(307, () => `http://${registry.host}/v2/secret/app/blobs/y`))
    await using registry: TestServer = await serve(
      closed(
        () => 'Basic realm="registry"',
        BASIC,
        redirect(307, () => `http://${storage.host}/`),
      ),
    )
    const { get } = await session(registry)
    await expect(get('blobs/x', {})).rejects.toThrow(redirectError(`redirects to ${storage.host}, and that back again`))
    expect(registry.requests.every(({ url }) => url === '/v2/' || url === '/v2/team/app/blobs/x')).toBe(true)
  })

  it('go to the realm that /v2/ named, whatever is named later', async () => {
    await using evil = await serve((_, response) => response.end('{"token":"registry-token"}'))
    await using tokens = await serve((_, response) => response.end('{"token":"registry-token"}'))
    await using registry = await serve((request, response) => {
      if (request.headers.authorization === 'Bearer registry-token') return response.end('ok')
      const [host, service] = request.url === '/v2/' ? [tokens.host, 'registry'] : [evil.host, 'evil']
      const scope = 'repository:team/app:pull'
      refuse(`Bearer realm="http://${host}/token",service="${service}",scope="${scope}"`)(request, response)
    })
    expect((await (await session(registry)).get('blobs/x', {})).status).toBe(200)
    expect(evil.requests).toHaveLength(0)
    expect(tokens.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/token?service=registry&scope=repository%3Ateam%2Fapp%3Apull', BASIC],
    ])
  })

  it.each([
    [PASSWORD, 302],
    [PASSWORD, 307],
    [PASSWORD, 303],
    [IDENTITY, 307],
    [IDENTITY, 308],
  ])('do not follow a token service to another host: %o, %i', async (credentials, status) => {
    await using evil = await serve((_, response) => response.end('{"token":"abc"}'))
    await using tokens = await serve(redirect(status, () => `http://${evil.host}/token`))
    await using registry = await serve(refuse(`Bearer realm="http://${tokens.host}/token",service="s"`))
    const { get } = await session(registry, credentials)
    await expect(get('blobs/x', {})).rejects.toThrow(redirectError(`the registry ${tokens.host} redirects`))
    expect(tokens.requests).toHaveLength(1)
    expect(evil.requests).toHaveLength(0)
  })

  it.each([
    'http://token.example.invalid/t',
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost.example.invalid/t',
    'http://127.0.0.1@token.example.invalid/t',
    'http://0.0.0.0/t',
    'https://alice:secret@token.example.invalid/t',
    'gopher://127.0.0.1/t',
    '/token',
    '',
  ])('do not go to the realm %s of a registry on this machine', async (realm) => {
    await using registry = await serve(refuse(`Bearer realm="${realm}",service="s"`))
    const { get } = await session(registry)
    await expect(get('blobs/x', {})).rejects.toThrow('names no usable token service')
  })

  it('give a token for one registry, which another never sees', async () => {
    await using tokens = await serve((request, response) =>
      response.end(JSON.stringify({ token: `registry-token-${request.url?.includes('first') ? 1 : 2}` })),
    )
    const guarded = (service: string, token: string) =>
      closed(
        () => `Bearer realm="http://${tokens.host}/token",service="${service}"`,
        `Bearer ${token}`,
        (_, response) => response.end('ok'),
      )
    await using first = await serve(guarded('first', 'registry-token-1'))
    await using second = await serve(guarded('second', 'registry-token-2'))
    for (const server of [first, second, first])
      expect((await (await session(server)).get('blobs/x', {})).status).toBe(200)
    expect(first.seen()).not.toContain('registry-token-2')
    expect(second.seen()).not.toContain('registry-token-1')
    expect(tokens.requests).toHaveLength(3)
  })
})

describe('an upload at another host', () => {
  const bytes = Buffer.from('the blob')
  const blob = smallBlob(bytes)
  const push = async (registry: TestServer) => {
    const http = { signal: undefined, retryDelay: 1 }
    const context = { ...http, session: await session(registry), origin: `${registry.host}/team/app` }
    await uploadBlob(blob, context, (await startUpload(context)) as URL)
  }
  const answer = (registry: Handler, upload: () => string): Handler =>
    closed(
      () => 'Basic realm="registry"',
      BASIC,
      (request, response) =>
        request.method === 'POST' ? response.writeHead(202, { location: upload() }).end() : registry(request, response),
    )
  const missing: Handler = (_, response) => response.writeHead(404).end()

  it('is done without credentials', async () => {
    await using storage = await serve(async (request, response) => {
      for await (const _ of request);
      response.writeHead(request.method === 'PUT' ? 201 : 202, { location: '/upload/2' }).end()
    })
    await using registry = await serve(answer(missing, () => `http://${storage.host}/upload/1`))
    await push(registry)
    expect(storage.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /upload/1',
      `PUT /upload/2?digest=${encodeURIComponent(blob.digest)}`,
    ])
    expect(storage.seen()).toContain('the blob')
    expect(storage.seen()).not.toMatch(SECRETS)
  })

  it.each(['Basic realm="x"', 'Bearer realm="REALM",service="evil"'])(
    'that asks for some gets none: %s',
    async (asks) => {
      await using storage = await serve(async (request, response) => {
        for await (const _ of request);
        refuse(asks.replace('REALM', `http://${storage.host}/token`))(request, response)
      })
      await using registry = await serve(answer(missing, () => `http://${storage.host}/upload/1`))
      await expect(push(registry)).rejects.toThrow(redirectError(`${storage.host}, where the registry`))
      expect(storage.requests).toHaveLength(1)
      expect(storage.seen()).not.toMatch(SECRETS)
    },
  )

  it('that refuses is named', async () => {
    await using storage = await serve(async (request, response) => {
      for await (const _ of request);
      response.writeHead(400).end('{"errors":[{"code":"DENIED"}]}')
    })
    await using registry = await serve(answer(missing, () => `http://${storage.host}/upload/1`))
    await expect(push(registry)).rejects.toMatchObject({
      code: 'C2M_REGISTRY_PROTOCOL',
      message: `${storage.host}, where the registry ${registry.host} leads to, answers with status 400 for a blob`,
    })
  })

  it('does not lead back into the registry', async () => {
    await using storage = await serve(async (request, response) => {
      for await (const _ of request);
      response.writeHead(202, { location: `http://${registry.host}/v2/secret/app/blobs/uploads/1` }).end()
    })
    await using registry: TestServer = await serve(answer(missing, () => `http://${storage.host}/upload/1`))
    await expect(push(registry)).rejects.toThrow(redirectError('and that back again'))
    expect(registry.requests.some(({ url }) => url?.startsWith('/v2/secret'))).toBe(false)
  })

  it('is refused without TLS outside of this machine', async () => {
    await using registry = await serve(answer(missing, () => 'http://storage.example.invalid/upload/1'))
    await expect(push(registry)).rejects.toThrow(redirectError('to storage.example.invalid without TLS'))
  })

  it('and a blob that is there already, at another host, needs none', async () => {
    await using storage = await serve((_, response) => response.end())
    await using registry = await serve(
      answer(
        redirect(307, () => `http://${storage.host}/x`),
        () => '/x',
      ),
    )
    const context = { signal: undefined, retryDelay: 1, session: await session(registry), origin: registry.host }
    expect(await hasBlob(blob.digest, context)).toBe(true)
    expect(storage.seen()).not.toMatch(SECRETS)
  })
})

describe('the word of another host than the registry', () => {
  const image = (registry: TestServer) => ({ registry: registry.host, repository: 'team/app', tag: '1' })
  async function find(registry: TestServer) {
    await using folder = await temporary()
    await using store = await openStore(folder.path)
    const context = { store, reporter: silentReporter, insecureHosts: [], signal: undefined, retryDelay: 1 }
    const env = { HOME: folder.path, DOCKER_CONFIG: folder.path }
    return await findInRegistry(image(registry), 'app', { os: 'linux', architecture: 'amd64' }, { ...context, env })
  }
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [],
  })

  it('is not taken for the digest of a manifest', async () => {
    const headers = { 'docker-content-digest': digestOf('another'), 'content-type': 'application/octet-stream' }
    const store: Handler = (request, response) =>
      response.writeHead(200, headers).end(request.url?.includes('manifests') ? manifest : config)
    await using storage = await serve(store)
    await using registry = await serve(
      open((request, response) => redirect(307, () => `http://${storage.host}${request.url}`)(request, response)),
    )
    expect(await find(registry)).toMatchObject({ digest: digestOf(manifest), architecture: 'amd64' })
    await using own = await serve(open(store))
    await expect(find(own)).rejects.toMatchObject({ code: 'C2M_IMAGE_DIGEST_MISMATCH' })
  })

  it.each([404, 400, 429, 500])('is not taken for what the registry has: status %i', async (status) => {
    await using storage = await serve((_, response) =>
      response.writeHead(status, { 'retry-after': '0' }).end('{"errors":[{"code":"NAME_UNKNOWN"}]}'),
    )
    await using registry = await serve(open(redirect(307, () => `http://${storage.host}/x`)))
    await expect(find(registry)).rejects.toMatchObject({
      code: 'C2M_REGISTRY_PROTOCOL',
      message: `${storage.host}, where the registry ${registry.host} leads to, answers with status ${status} for tag '1'`,
    })
  })

  it('is missing, and who did not answer is named', async () => {
    const gone = await serve(() => undefined)
    await gone[Symbol.asyncDispose]()
    await using registry = await serve(open(redirect(307, () => `http://${gone.host}/x`)))
    await expect(find(registry)).rejects.toThrow(
      `cannot reach ${gone.host}, where the registry ${registry.host} redirects to: the connection was refused`,
    )
  })
})

describe('leadsTo', () => {
  const from = (location: string, asked: string, first = asked) =>
    leadsTo(location, new URL(asked), new URL(first)).href

  it('leads from TLS to TLS, also to private addresses, and within this machine', () => {
    expect(from('/b', 'https://registry.example/a')).toBe('https://registry.example/b')
    expect(from('https://10.0.0.5/b', 'https://registry.example/a')).toBe('https://10.0.0.5/b')
    expect(from('http://127.0.0.1:9000/b', 'http://localhost:5000/a')).toBe('http://127.0.0.1:9000/b')
    expect(from('http://[::1]:9000/b', 'http://127.0.0.1:5000/a')).toBe('http://[::1]:9000/b')
    expect(from('https://registry.example/b', 'http://127.0.0.1:5000/a')).toBe('https://registry.example/b')
    expect(from('http://registry.lan:5000/b', 'http://registry.lan:5000/a')).toBe('http://registry.lan:5000/b')
  })

  it.each([
    ['http://registry.example/b', 'https://registry.example/a', 'from TLS to plain text'],
    ['http://127.0.0.1/b', 'https://registry.example/a', 'from TLS to plain text'],
    ['http://169.254.169.254/latest/', 'https://registry.example/a', 'from TLS to plain text'],
    ['http://169.254.169.254/latest/', 'http://127.0.0.1:5000/a', 'without TLS'],
    ['http://registry.lan:5001/b', 'http://registry.lan:5000/a', 'without TLS'],
    ['//storage.example/b', 'http://127.0.0.1:5000/a', 'without TLS'],
    ['file:///etc/passwd', 'https://registry.example/a', 'no web address'],
    ['https://alice@registry.example/b', 'https://registry.example/a', 'no web address'],
    ['http://', 'https://registry.example/a', 'no web address'],
  ])('does not lead to %s from %s', (location, asked, message) => {
    expect(() => from(location, asked)).toThrow(redirectError(message))
  })

  it('takes another port, another scheme and a part of a domain for another origin', () => {
    const first = 'https://registry.example/'
    for (const elsewhere of ['https://registry.example:8443/', 'https://cdn.registry.example/']) {
      expect(from(elsewhere, first)).toBe(elsewhere)
      expect(() => from(first, elsewhere, first)).toThrow(redirectError('and that back again'))
    }
    expect(from('https://registry.example:443/b', first)).toBe('https://registry.example/b')
  })
})
