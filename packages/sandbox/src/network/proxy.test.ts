import { once } from 'node:events'
import http, { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createProxy } from './proxy.js'

const open: { close(): void }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A proxy of the host, which answers everything itself and writes down what it was asked. */
async function upstream(): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const note = (request: IncomingMessage) =>
    asked.push(
      `${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'} ${request.headers.connection}`,
    )
  const server = createServer((request, response) => {
    note(request)
    response.end(`from upstream ${request.headers.via ?? ''}`)
  })
  server.on('connect', (request: IncomingMessage, socket) => {
    note(request)
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.on('data', (data: Buffer) => socket.write(data))
    socket.on('error', () => undefined)
  })
  return { port: await listen(server), asked }
}

async function proxy(env: NodeJS.ProcessEnv): Promise<{ port: number; refused: string[] }> {
  const refused: string[] = []
  return { port: await listen(createProxy({ env, onRefused: (host) => refused.push(host) }).server), refused }
}

async function get(port: number, path: string, headers = {}): Promise<{ status: number | undefined; body: string }> {
  const request = http.request({ port, host: '127.0.0.1', path, headers }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

/** What comes back for what is written, until nothing more comes. */
async function say(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let back = ''
  socket.on('data', (data: Buffer) => (back += data.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = once(socket, 'close').catch(() => undefined)
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  setTimeout(() => socket.destroy(), 300)
  await closed
  return back
}

describe('the proxy of the sandbox', () => {
  it('asks the host’s proxy with the password that the image never sees', async () => {
    const { port: above, asked } = await upstream()
    const url = `http://user:secret@127.0.0.1:${above}`
    const { port } = await proxy({ http_proxy: url, https_proxy: url })
    const headers = { 'proxy-authorization': 'Basic forged', connection: 'keep-alive, x-hop', 'x-hop': '1' }
    expect(await get(port, 'http://packages.invalid/a?b', headers)).toMatchObject({
      status: 200,
      body: 'from upstream ',
    })
    expect(asked[0]).toMatch(/^GET http:\/\/packages\.invalid\/a\?b Basic dXNlcjpzZWNyZXQ= /)
    expect(
      await say(port, 'CONNECT packages.invalid:443 HTTP/1.1\r\n\r\n', Buffer.from([0x16, 3, 1, 0, 9, 1])),
    ).toContain('\x16\x03\x01')
    expect(asked[1]).toMatch(/^CONNECT packages\.invalid:443 Basic dXNlcjpzZWNyZXQ= /)
  })

  it.each(['127.0.0.1', 'localhost', '[::1]', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '169.254.169.254'])(
    'reaches nothing at %s, directly or by the host’s proxy',
    async (host) => {
      const service = await listen(createServer((_, response) => response.end('secret service')))
      const { port: above, asked } = await upstream()
      for (const env of [{}, { http_proxy: `http://127.0.0.1:${above}`, https_proxy: `http://127.0.0.1:${above}` }]) {
        const { port, refused } = await proxy(env)
        expect(await get(port, `http://${host}:${service}/`)).toMatchObject({ status: 403 })
        expect(await say(port, `CONNECT ${host}:${service} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /)
        expect(refused).toHaveLength(1)
      }
      expect(asked).toEqual([])
    },
  )

  it('refuses what is no request to a web server', async () => {
    const { port: above } = await upstream()
    const { port } = await proxy({ https_proxy: `http://127.0.0.1:${above}` })
    expect((await get(port, '/relative')).status).toBe(400)
    expect((await get(port, 'ftp://packages.invalid/')).status).toBe(400)
    expect(await say(port, 'CONNECT nonsense HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    // a tunnel that carries no TLS ends
    const answer = await say(port, 'CONNECT packages.invalid:443 HTTP/1.1\r\n\r\n', 'SELECT 1')
    expect(answer).not.toContain('SELECT')
  })

  it.each([
    ['Transfer-Encoding: chunked', '%x\r\n%s\r\n0\r\n\r\n'],
    ['Transfer-Encoding: chunked\r\nConnection: transfer-encoding', '%x\r\n%s\r\n0\r\n\r\n'],
    ['Content-Length: %d\r\nConnection: content-length, keep-alive', '%s'],
    ['Content-Length: %d\r\nConnection: Content-Length\r\nExpect: 100-continue', '%s'],
  ])('lets no body hide a request: %j', async (header, body) => {
    const { port: above, asked } = await upstream()
    const { port } = await proxy({ http_proxy: `http://127.0.0.1:${above}` })
    const hidden = 'GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n'
    const fill = (text: string) =>
      text.replace('%s', hidden).replace('%d', String(hidden.length)).replace('%x', hidden.length.toString(16))
    for (const method of ['GET', 'DELETE', 'POST']) {
      const head = `${method} http://packages.invalid/ HTTP/1.1\r\nHost: packages.invalid\r\n${fill(header)}\r\n\r\n`
      await say(port, head + fill(body), 'GET http://packages.invalid/next HTTP/1.1\r\nHost: packages.invalid\r\n\r\n')
    }
    expect(asked.filter((line) => line.includes('127.0.0.1:1'))).toEqual([])
    expect(asked.length).toBeGreaterThanOrEqual(3)
  })

  it('waits for nothing on behalf of a program that has gone', async () => {
    const silent = createTcpServer(() => undefined)
    open.push(silent)
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { server } = createProxy({
      env: { https_proxy: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` },
      onRefused: () => undefined,
    })
    const port = await listen(server)
    const client = connect(port, '127.0.0.1')
    client.write('CONNECT packages.invalid:443 HTTP/1.1\r\n\r\n')
    const [reached] = (await once(silent, 'connection')) as [Socket]
    client.destroy()
    await once(reached.resume(), 'close')
  })

  it('answers 502 when a server cannot be reached', async () => {
    const { port } = await proxy({})
    expect((await get(port, 'http://packages.invalid/')).status).toBe(502)
    const { port: broken } = await proxy({ http_proxy: 'http://127.0.0.1:1' })
    expect((await get(broken, 'http://packages.invalid/')).status).toBe(502)
  })
})
