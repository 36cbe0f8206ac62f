import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { silentReporter } from '@c2m/process'
import { writeFile, mkdir, chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { serve } from '../testing/http-server.js'
import { temporary } from '../testing/layout.js'
import { findCredentials } from './credentials.js'
import { retryAfter, send } from './http.js'
import { openSession } from './session.js'
import { transfer } from './transfer.js'

const context = { signal: undefined, retryDelay: 1 }

describe('send', () => {
  it('keeps authorization from other hosts on redirects, and sends it on the same one', async () => {
    await using elsewhere = await serve((_, response) => response.end('blob'))
    await using server = await serve((request, response) => {
      const location = request.url === '/a' ? '/b' : `http://${elsewhere.host}/c`
      response.writeHead(307, { location }).end()
    })
    const response = await send(
      new URL(`http://${server.host}/a`),
      { headers: {}, authorization: 'Bearer secret' },
      context,
    )
    expect(await response.text()).toBe('blob')
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', 'Bearer secret'])
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })

  it('ends on redirects in a circle and to other protocols', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(302, { location: request.url === '/circle' ? '/circle' : 'file:///etc/passwd' }).end()
    })
    const code = expect.objectContaining({ code: 'C2M_REGISTRY_REDIRECT' }) as Error
    await expect(send(new URL(`http://${server.host}/circle`), { headers: {} }, context)).rejects.toThrow(code)
    await expect(send(new URL(`http://${server.host}/file`), { headers: {} }, context)).rejects.toThrow(code)
  })

  it('asks a busy server again, five times at most', async () => {
    let failures = 2
    await using server = await serve((_, response) => {
      if (failures-- > 0) response.writeHead(failures % 2 ? 503 : 429, { 'retry-after': '0' }).end()
      else response.end('now')
    })
    const url = new URL(`http://${server.host}/`)
    expect((await send(url, { headers: {} }, context)).status).toBe(200)
    failures = 100
    server.requests.length = 0
    expect((await send(url, { headers: {} }, context)).status).toBe(503)
    expect(server.requests).toHaveLength(5)
  })

  it('says that nobody listens, and stops waiting when interrupted', async () => {
    const gone = await serve((_, response) => response.end())
    await gone[Symbol.asyncDispose]()
    await expect(send(new URL(`http://${gone.host}/`), { headers: {} }, context)).rejects.toThrow(
      'the connection was refused',
    )
    await using busy = await serve((_, response) => response.writeHead(429, { 'retry-after': '50' }).end())
    const signal = AbortSignal.timeout(50)
    await expect(send(new URL(`http://${busy.host}/`), { headers: {} }, { ...context, signal })).rejects.toThrow(
      'interrupted',
    )
  })

  it('reads Retry-After', () => {
    expect(retryAfter('2')).toBe(2000)
    expect(retryAfter('Thu, 01 Jan 1970 00:00:05 GMT', 1000)).toBe(4000)
    expect(retryAfter('soon')).toBeUndefined()
  })
})

describe('transfer', () => {
  const blob = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
  const drain = async (source: AsyncIterable<Uint8Array>) => {
    const chunks = []
    for await (const chunk of source) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const pull = (host: string, stall?: number) => {
    const request = (headers: Readonly<Record<string, string>>) =>
      send(new URL(`http://${host}/`), { headers }, context)
    return drain(transfer(request, blob.length, 'the blob', context, stall))
  }
  /** Breaks each connection after some bytes. */
  const breaking = (ranges: boolean, portion: number): RequestListener => {
    let given = 0
    return (request, response) => {
      const start = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
      const headers = { 'content-length': blob.length - start }
      if (start > 0)
        response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` })
      else response.writeHead(200, headers)
      given = ranges ? portion : given + portion
      response.write(blob.subarray(start, start + given), () => {
        if (start + given >= blob.length) response.end()
        else setTimeout(() => request.socket.destroy(), 5)
      })
    }
  }

  it('goes on where the connection broke', async () => {
    await using server = await serve(breaking(true, 30_000))
    expect((await pull(server.host)).equals(blob)).toBe(true)
    expect(server.requests.length).toBe(4)
    expect(server.requests[1]?.headers.range).toMatch(/^bytes=\d+-$/)
  })

  it('skips what it has when the server knows no ranges', async () => {
    await using server = await serve(breaking(false, 40_000))
    expect((await pull(server.host)).equals(blob)).toBe(true)
  })

  it('gives up when nothing comes any more, and when the server hangs', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100_000 })
      response.flushHeaders()
      response.socket?.destroy()
    })
    await expect(pull(server.host)).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching('C2M_REGISTRY_') as string }) as Error,
    )
    await using hanging = await serve((_, response) =>
      response.writeHead(200, { 'content-length': 100_000 }).flushHeaders(),
    )
    await expect(pull(hanging.host, 20)).rejects.toThrow('breaks off at byte 0 of 100000')
  })

  it('refuses another part than it asked for', async () => {
    let first = true
    await using server = await serve((request, response) => {
      response.writeHead(first ? 200 : 206, { 'content-length': 100_000, 'content-range': 'bytes 99999-100000/100000' })
      response.write(blob.subarray(0, 1000), () => setTimeout(() => request.socket.destroy(), 5))
      first = false
    })
    await expect(pull(server.host)).rejects.toThrow('answers with another part')
  })
})

describe('openSession', () => {
  it('gets a token from a mock token service, with the password there and only there', async () => {
    await using tokens = await serve((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://x')
      expect([searchParams.get('service'), searchParams.get('scope')]).toEqual(['mock', 'repository:team/app:pull'])
      response.end(JSON.stringify({ token: 'tok' }))
    })
    await using registry = await serve((request, response) => {
      const challenge = `Bearer realm="http://${tokens.host}/token",service="mock",scope="repository:team/app:pull"`
      if (request.headers.authorization === 'Bearer tok') response.end('ok')
      else response.writeHead(401, { 'www-authenticate': challenge }).end()
    })
    let asked = 0
    const session = await openSession({
      ...context,
      registry: registry.host,
      repository: 'team/app',
      insecure: true,
      credentials: async () => {
        asked++
        return { kind: 'password', username: 'user', password: 'hunter2' }
      },
    })
    const answers = await Promise.all([1, 2, 3].map((n) => session.get(`blobs/${n}`, {})))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(asked).toBe(1)
    expect(tokens.requests.map(({ headers }) => headers.authorization)).toEqual([`Basic ${btoa('user:hunter2')}`])
    expect(JSON.stringify(registry.requests.map(({ headers, url }) => [headers, url]))).not.toContain(
      btoa('user:hunter2'),
    )
  })

  it('trades a refresh token in the body of a POST', async () => {
    const bodies: string[] = []
    await using tokens = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      bodies.push(body)
      response.end(JSON.stringify({ access_token: 'tok' }))
    })
    await using registry = await serve((request, response) => {
      if (request.headers.authorization === 'Bearer tok') response.end('ok')
      else
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/token",service="mock"` })
          .end()
    })
    const credentials = async () => ({ kind: 'identity' as const, token: 'refresh' })
    const session = await openSession({
      ...context,
      registry: registry.host,
      repository: 'a/b',
      insecure: true,
      credentials,
    })
    expect((await session.get('manifests/x', {})).status).toBe(200)
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'c2m',
      service: 'mock',
      scope: 'repository:a/b:pull',
      refresh_token: 'refresh',
    })
  })

  it('refuses token services that would get the password in plain text, and servers that are no registries', async () => {
    await using registry = await serve((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="ftp://example.com/token"' }).end()
    })
    const options = {
      ...context,
      registry: registry.host,
      repository: 'a/b',
      insecure: true,
      credentials: async () => undefined,
    }
    const session = await openSession(options)
    await expect(session.get('manifests/x', {})).rejects.toThrow('no usable token service')
    await using website = await serve((_, response) => response.writeHead(404).end())
    await expect(openSession({ ...options, registry: website.host })).rejects.toThrow('is no image registry')
    await expect(openSession({ ...options, registry: registry.host, insecure: false, attempts: 1 })).rejects.toThrow(
      'does not speak TLS',
    )
  })
})

describe('findCredentials', () => {
  const find = (registry: string, env: NodeJS.ProcessEnv, warnings: string[] = []) =>
    findCredentials(registry, 'team/app', env, { ...silentReporter, warn: (text) => warnings.push(text) }, undefined)
  const auth = (text: string) => Buffer.from(text).toString('base64')

  it("reads Docker's and podman's files, the nearest first", async () => {
    await using folder = await temporary()
    const home = folder.path
    await mkdir(join(home, '.docker'))
    const config = {
      auths: {
        'https://index.docker.io/v1/': { auth: auth('hub:a:b') },
        'https://old.example.com': { auth: auth('old:pw') },
        'id.example.com': { auth: auth('x:y'), identitytoken: 'refresh' },
        'both.example.com': { auth: auth('docker:pw') },
        'bad.example.com': { auth: 'bm9jb2xvbg==' },
      },
    }
    await writeFile(join(home, '.docker/config.json'), JSON.stringify(config))
    await writeFile(
      join(home, 'auth.json'),
      JSON.stringify({ auths: { 'both.example.com/team': { auth: auth('podman:pw') } } }),
    )
    const env = { HOME: home, REGISTRY_AUTH_FILE: join(home, 'auth.json') }
    expect(await find('docker.io', env)).toEqual({ kind: 'password', username: 'hub', password: 'a:b' })
    expect(await find('old.example.com', env)).toEqual({ kind: 'password', username: 'old', password: 'pw' })
    expect(await find('id.example.com', env)).toEqual({ kind: 'identity', token: 'refresh' })
    expect(await find('both.example.com', env)).toMatchObject({ username: 'podman' })
    expect(await find('both.example.com', { HOME: home })).toMatchObject({ username: 'docker' })
    for (const none of ['bad.example.com', 'unknown.example.com', '__proto__', 'constructor'])
      expect(await find(none, env)).toBeUndefined()
  })

  it('asks credential helpers on stdin, and never repeats what they print', async () => {
    await using folder = await temporary()
    const helper = async (name: string, script: string) => {
      await writeFile(join(folder.path, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`)
      await chmod(join(folder.path, `docker-credential-${name}`), 0o755)
    }
    await helper(
      'good',
      `test "$1" = get && server=$(cat) && echo "{\\"Username\\":\\"$server\\",\\"Secret\\":\\"s\\"}"`,
    )
    await helper('token', `echo '{"Username":"<token>","Secret":"s"}'`)
    await helper('bad', 'echo hunter2; exit 0')
    await helper('none', 'echo credentials not found in native keychain; exit 1')
    const helpers = {
      'a.example.com': 'good',
      'b.example.com': 'token',
      'c.example.com': 'bad',
      'd.example.com': 'none',
      'e.example.com': '../x',
      'f.example.com': 'missing',
    }
    await writeFile(join(folder.path, 'config.json'), JSON.stringify({ credHelpers: helpers, credsStore: 'good' }))
    const before = process.env.PATH
    process.env.PATH = `${folder.path}:${before}`
    try {
      const env = { DOCKER_CONFIG: folder.path, HOME: folder.path, PATH: process.env.PATH }
      const warnings: string[] = []
      expect(await find('a.example.com', env)).toEqual({ kind: 'password', username: 'a.example.com', password: 's' })
      expect(await find('b.example.com', env)).toEqual({ kind: 'identity', token: 's' })
      expect(await find('docker.io', env)).toMatchObject({ username: 'https://index.docker.io/v1/' })
      for (const host of ['c', 'd', 'e', 'f']) expect(await find(`${host}.example.com`, env, warnings)).toBeUndefined()
      expect(warnings).toHaveLength(3)
      expect(warnings.join()).not.toContain('hunter2')
    } finally {
      process.env.PATH = before
    }
  })

  it('warns of files that are no JSON without quoting them', async () => {
    await using folder = await temporary()
    await writeFile(join(folder.path, 'config.json'), 'password: hunter2')
    const warnings: string[] = []
    expect(await find('a.example.com', { DOCKER_CONFIG: folder.path, HOME: folder.path }, warnings)).toBeUndefined()
    expect(warnings.join()).toMatch(/config\.json is not valid JSON/)
    expect(warnings.join()).not.toContain('hunter2')
  })
})
