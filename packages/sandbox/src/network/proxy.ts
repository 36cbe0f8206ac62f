import { once } from 'node:events'
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connectTo, RefusedDestination, resolveDestination } from './destination.js'
import { parseUrl, upstreamFor, type Upstream } from './upstream.js'

/** Connections at one time; package managers open a handful. */
const MAX_CONNECTIONS = 256
/** Milliseconds without a byte. */
const IDLE = 120_000
/** Of one hop, RFC 9110, section 7.6.1; how long a body is, is said anew. */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
]
/** What a header cannot be called hop-by-hop for: it says where a message ends, or whom it is for. */
const ESSENTIAL = ['content-length', 'host', 'transfer-encoding']
/** A record with the beginning of a ClientHello: type, version 3.x, length, kind of handshake (RFC 8446, sections 4 and 5.1). */
const HELLO_BYTES = 6

export interface ProxyOptions {
  /** Holds the proxies of this host's user: what they need to be asked for stays here. */
  readonly env: NodeJS.ProcessEnv
  /** Told once for each destination that is refused. */
  onRefused(host: string): void
}

export interface Proxy {
  readonly server: http.Server
  /** Ends every connection too. */
  close(): void
}

interface Destination {
  readonly protocol: 'http:' | 'https:'
  readonly host: string
  readonly port: number
}

/**
 * The way of the image's programs to HTTP servers, and by tunnels to HTTPS servers (RFC 9110, section 9.3.6, CONNECT), but
 * not to this host. It is the only thing on their network; the caller has it listen there. Each request goes out on a
 * connection of its own, so none can hide another.
 */
export function createProxy(options: ProxyOptions): Proxy {
  const closing = new AbortController()
  const told = new Set<string>()
  const refuse = (error: unknown) => {
    if (!(error instanceof RefusedDestination) || told.has(error.message) || told.size === 100) return
    told.add(error.message)
    options.onRefused(error.message)
  }
  const server = http.createServer({ keepAliveTimeout: IDLE, requestTimeout: 0 })
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', (socket: Socket) => socket.setTimeout(IDLE, () => socket.destroy()))
  server.on('request', (request, response) => {
    void forward(request, response, options.env, goneWith(response, closing)).catch((error: unknown) => {
      refuse(error)
      answer(response, error)
    })
  })
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => undefined)
    void tunnel(request.url ?? '', client, head, options.env, goneWith(client, closing)).catch((error: unknown) => {
      refuse(error)
      const [status, reason] = statusOf(error)
      client.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: 0\r\n\r\n`)
    })
  })
  server.on('clientError', (_, socket: Duplex) => socket.destroy())
  return {
    server,
    close: () => {
      closing.abort()
      server.close()
      server.closeAllConnections()
    },
  }
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  env: NodeJS.ProcessEnv,
  gone: AbortSignal,
): Promise<void> {
  const url = parseUrl(request.url ?? '')
  if (url?.protocol !== 'http:') throw new BadRequest('only http:// is forwarded, https:// goes by CONNECT')
  const destination: Destination = { protocol: 'http:', host: url.hostname, port: Number(url.port) || 80 }
  const { method } = request
  const headers = { ...forwarded(request), host: url.host }
  const upstream = upstreamFor(destination, env)
  let sent: http.ClientRequest
  if (upstream === undefined) {
    const socket = await connectTo(destination.host, destination.port, gone)
    const path = `${url.pathname}${url.search}`
    sent = http.request({ createConnection: () => socket, method, path, headers, signal: gone })
  } else {
    await requireOutside(destination)
    sent = ask(upstream, {
      method,
      path: url.href,
      headers: { ...headers, ...authorizationOf(upstream) },
      signal: gone,
    })
  }
  const answered = answerOf(sent)
  const feeding = pipeline(request, sent).catch(() => undefined)
  const [got] = await answered
  const back: OutgoingHttpHeaders = { ...got.headers }
  for (const name of HOP_BY_HOP) delete back[name]
  response.writeHead(got.statusCode ?? 502, back)
  await pipeline(got, response)
  await feeding
}

/** The headers for the next hop, in which the body has the same bounds as in this one. */
function forwarded(request: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...request.headers }
  const chunked = headers['transfer-encoding'] !== undefined
  const named = (request.headers.connection ?? '').toLowerCase().split(',')
  for (const name of [...HOP_BY_HOP, ...named.map((one) => one.trim()).filter((one) => !ESSENTIAL.includes(one))])
    delete headers[name]
  return chunked ? { ...headers, 'transfer-encoding': 'chunked' } : headers
}

async function tunnel(
  authority: string,
  client: Duplex,
  head: Buffer,
  env: NodeJS.ProcessEnv,
  gone: AbortSignal,
): Promise<void> {
  const url = parseUrl(`http://${authority}`)
  if (url === undefined || !/:\d{1,5}$/.test(authority)) throw new BadRequest('CONNECT needs HOST:PORT')
  const destination: Destination = { protocol: 'https:', host: url.hostname, port: Number(url.port) || 80 }
  const upstream = upstreamFor(destination, env)
  const hello = firstBytes(client, head, gone)
  hello.catch(() => undefined)
  const server =
    upstream === undefined
      ? await connectTo(destination.host, destination.port, gone)
      : await openThrough(upstream, destination, gone)
  server.on('error', () => client.destroy())
  server.on('close', () => client.destroy())
  server.setTimeout(IDLE, () => server.destroy())
  gone.addEventListener('abort', () => server.destroy())
  client.write('HTTP/1.1 200 OK\r\n\r\n')
  const first = await hello
  if (!isHello(first)) {
    server.destroy()
    throw new BadRequest('only TLS is tunnelled')
  }
  server.write(first)
  await Promise.all([pipeline(client, server), pipeline(server, client)]).catch(() => undefined)
}

/** As far as the bytes go. */
function isHello(bytes: Buffer): boolean {
  const [type = 0x16, major = 3, minor = 0, , , kind = 1] = bytes
  const length = bytes.length < 5 ? 1 : bytes.readUInt16BE(3)
  return type === 0x16 && major === 3 && minor <= 4 && length > 0 && length <= 16_384 && kind === 1
}

/** As many as show whether it is TLS. Reading begins at once: what is not read is not seen to close. */
async function firstBytes(client: Duplex, head: Buffer, gone: AbortSignal): Promise<Buffer> {
  let bytes = head
  while (bytes.length < HELLO_BYTES && isHello(bytes)) {
    const [more] = (await once(client.resume(), 'data', { signal: gone })) as [Buffer]
    client.pause()
    bytes = Buffer.concat([bytes, more])
  }
  return bytes
}

/** Aborts when the image's program has gone, or the proxy is closed, so that nothing is waited for on its behalf. */
function goneWith(client: ServerResponse | Duplex, closing: AbortController): AbortSignal {
  const gone = new AbortController()
  client.once('close', () => gone.abort())
  // a tunnel's connection stays half open otherwise
  client.once('end', () => gone.abort())
  return AbortSignal.any([gone.signal, closing.signal])
}

async function openThrough(upstream: Upstream, destination: Destination, gone: AbortSignal): Promise<Socket> {
  await requireOutside(destination)
  const path = `${destination.host}:${destination.port}`
  const headers = { host: path, ...authorizationOf(upstream) }
  const sent = ask(upstream, { method: 'CONNECT', path, headers, signal: gone })
  const answered = answerOf(sent)
  sent.end()
  const [response, socket] = await answered
  if (response.statusCode === 200 && socket !== undefined) return socket
  sent.destroy()
  throw new Error(`the proxy of this host answers ${response.statusCode}`)
}

/** The answer, and of a tunnel its connection. No other protocol is changed to. */
function answerOf(sent: http.ClientRequest): Promise<[IncomingMessage, Socket?]> {
  return new Promise((resolve, reject) => {
    sent.once('connect', (got: IncomingMessage, socket: Socket) => resolve([got, socket]))
    sent.once('response', (got: IncomingMessage) => resolve([got]))
    sent.once('upgrade', () => sent.destroy(new Error('the server changes the protocol')))
    sent.on('error', reject)
    sent.once('close', () => reject(new Error('the server has closed the connection')))
    sent.setTimeout(IDLE, () => sent.destroy(new Error('the server does not answer')))
  })
}

function ask(upstream: Upstream, options: http.RequestOptions): http.ClientRequest {
  const { request } = upstream.protocol === 'https:' ? https : http
  return request({ host: upstream.host, port: upstream.port, agent: false, ...options })
}

function authorizationOf({ authorization }: Upstream): OutgoingHttpHeaders {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization }
}

/** Names that only the proxy of this host knows are its affair, but none of them may be this host. */
async function requireOutside({ host }: Destination): Promise<void> {
  await resolveDestination(host).catch((error: unknown) => {
    if (error instanceof RefusedDestination) throw error
  })
}

class BadRequest extends Error {}

/** The reason phrase is what package managers show. */
function statusOf(error: unknown): [status: number, reason: string] {
  if (error instanceof RefusedDestination) return [403, `c2m: ${phrase(error.message)} is this host or its link`]
  const { message } = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error)
  return [error instanceof BadRequest ? 400 : 502, `c2m: ${phrase(message)}`]
}

/** In visible ASCII (RFC 9112, section 4). */
function phrase(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}

function answer(response: ServerResponse, error: unknown): void {
  const [status, reason] = statusOf(error)
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, reason, { 'content-length': 0, connection: 'close' }).end()
}
