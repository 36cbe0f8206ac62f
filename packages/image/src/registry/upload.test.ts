import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serve, type TestServer } from '../testing/http-server.js'
import { openSession } from './session.js'
import { hasBlob, smallBlob, startUpload, uploadBlob, type UploadBlob, type UploadContext } from './upload.js'

/** A registry in memory that keeps what came of a broken request and tells how much that is, as the specification says. */
class MemoryRegistry {
  readonly blobs = new Map<string, Buffer>()
  readonly log: string[] = []
  upload = Buffer.alloc(0)
  /** Bytes of PATCH bodies after which the connection breaks, one for each time. */
  breakAfter: number[] = []
  /** Statuses to answer with instead, by method. */
  answers: Partial<Record<string, number[]>> = {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const { pathname, searchParams } = new URL(url, 'http://x')
    this.log.push([method, headers['content-length'], headers['content-range']].filter(Boolean).join(' '))
    const end = (status: number, more: Record<string, string> = {}) => {
      response.writeHead(status, more)
      response.end()
    }
    const location = '/v2/team/app/blobs/uploads/1?state=a%2Fb'
    const range = `0-${this.upload.length - 1}`
    const instead = this.answers[method]?.shift()
    if (instead !== undefined) {
      request.resume()
      return end(instead)
    }
    if (pathname === '/v2/') return end(200)
    if (method === 'HEAD') return end(this.blobs.has(pathname.split('/').pop()!) ? 200 : 404)
    if (method === 'POST') return end(202, { location })
    if (searchParams.get('state') !== 'a/b') return end(400)
    if (method === 'GET') return end(204, { location, range })
    if (method === 'PATCH') {
      const stop = this.breakAfter.shift() ?? Infinity
      const from = /^(\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? '0'
      if (Number(from) !== this.upload.length) return end(416, { location, range })
      let taken = 0
      for await (const chunk of request as AsyncIterable<Buffer>) {
        const part = chunk.subarray(0, stop - taken)
        this.upload = Buffer.concat([this.upload, part])
        taken += part.length
        if (taken === stop) return void request.socket.destroy()
      }
      return end(202, { location, range: `0-${this.upload.length - 1}` })
    }
    const digest = `sha256:${createHash('sha256').update(this.upload).digest('hex')}`
    if (searchParams.get('digest') !== digest) return end(400)
    this.blobs.set(digest, this.upload)
    end(201)
  }
}

describe('openSession for a push', () => {
  it('asks for a token that may push, and read what is mounted', async () => {
    const scopes: string[][] = []
    await using server = await serve((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
      if (pathname === '/token') {
        scopes.push(searchParams.getAll('scope'))
        return response.end('{"token":"tok"}')
      }
      if (request.headers.authorization === 'Bearer tok') return response.writeHead(202, { location: '/x' }).end()
      const realm = `http://${request.headers.host}/token`
      const challenge = `Bearer realm="${realm}",service="s",scope="repository:team/app:pull other:thing:*"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    })
    const session = await openSession({
      signal: undefined,
      retryDelay: 1,
      registry: server.host,
      repository: 'team/app',
      insecure: true,
      purpose: 'push',
      alsoRead: ['team/base'],
      credentials: async () => ({ kind: 'password', username: 'a', password: 'b' }),
    })
    const response = await session.request('blobs/uploads/', { method: 'POST', headers: {} })
    expect(response.status).toBe(202)
    expect(scopes).toEqual([['repository:team/app:pull,push', 'repository:team/base:pull', 'other:thing:*']])
    // an address at another host gets no credentials
    const seen: (string | undefined)[] = []
    await using other = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.end()
    })
    await session.request(new URL(`http://${other.host}/upload`), { method: 'PUT', headers: {}, body: 'x' })
    expect(seen).toEqual([undefined])
  })
})

describe('uploadBlob', () => {
  let server: TestServer
  let registry: MemoryRegistry
  let context: UploadContext
  const bytes = randomBytes(3_000_000)
  const blob: UploadBlob = {
    ...smallBlob(bytes),
    async *open(from) {
      for (let at = from; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
    },
  }

  beforeAll(async () => {
    server = await serve((request, response) => registry.handle(request, response).catch(() => response.destroy()))
  })
  afterAll(() => server[Symbol.asyncDispose]())
  beforeEach(async () => {
    registry = new MemoryRegistry()
    const { host } = server
    const http = { signal: undefined, retryDelay: 1 }
    const session = await openSession({
      ...http,
      registry: host,
      repository: 'team/app',
      insecure: true,
      credentials: async () => undefined,
    })
    registry.log.length = 0
    context = { ...http, session, origin: `${host}/team/app` }
  })

  it('sends it in one piece of known size', async () => {
    expect(await hasBlob(blob.digest, context)).toBe(false)
    await uploadBlob(blob, context, (await startUpload(context)) as URL)
    expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true)
    expect(registry.log).toEqual(['HEAD', 'POST 0', 'PATCH 3000000', 'PUT 0'])
    expect(await hasBlob(blob.digest, context)).toBe(true)
  })

  it('goes on from where the registry says it is, however often it breaks', async () => {
    registry.breakAfter = [1_000_000, 1, 200_000, 300_000, 10_000, 20_000, 30_000, 40_000]
    await uploadBlob(blob, context)
    expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true)
    expect(registry.log).toContain('PATCH 2000000 1000000-2999999')
    expect(registry.log.filter((line) => line.startsWith('POST'))).toHaveLength(1)
  })

  it('begins anew when the upload is forgotten', async () => {
    registry.answers = { PATCH: [404], GET: [404] }
    await uploadBlob(blob, context)
    expect(registry.log.filter((line) => line.startsWith('POST'))).toHaveLength(2)
    expect(registry.blobs.size).toBe(1)
  })

  it('tries again when the registry stumbles, and gives up when it does so always', async () => {
    registry.answers = { PATCH: [503, 500], PUT: [502] }
    await uploadBlob(blob, context)
    expect(registry.blobs.size).toBe(1)
    registry.blobs.clear()
    registry.upload = Buffer.alloc(0)
    registry.answers = { PATCH: Array<number>(20).fill(503) }
    await expect(uploadBlob(blob, context)).rejects.toThrow(/breaks off at byte 0 of 3000000/)
  })

  it('passes on what reading the blob throws', async () => {
    const broken: UploadBlob = {
      ...blob,
      async *open() {
        yield bytes.subarray(0, 1000)
        throw new Error('bad sector')
      },
    }
    await expect(uploadBlob(broken, context)).rejects.toThrow('bad sector')
  })
})
