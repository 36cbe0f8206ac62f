import { once } from 'node:events'
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import https from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RefusedDestination, resolveDestination } from './destination.js'
import { parseUrl, upstreamFor, type Upstream } from './upstream.js'

/** Connections at one time; package managers open a handful. */
const MAX_CONNECTIONS = 256
/** Milliseconds without a byte. */
const IDLE = 120_000
/** Of one hop, RFC 9110, section 7.6.1. */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]
/** First byte of a TLS record with a handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16

export interface ProxyOptions {
  /** Holds the proxies of this host's user: what they need to be asked for stays here. */
  readonly env: NodeJS.ProcessEnv
  /** Told once for each destination that is refused. */
  onRefused(host: string): void
}

interface Destination {
  readonly protocol: 'http:' | 'https:'
  readonly host: string
  readonly port: number
}

/**
 * The way of the image's programs to HTTP servers, and by tunnels to HTTPS servers (RFC 9110, section 9.3.6, CONNECT), but
 * not to this host. It is the only thing on their network; the caller has it listen there.
 */
export function createProxy(options: ProxyOptions): http.Server {
  const told = new Set<string>()
  const refuse = (host: string) => {
    if (told.size < 100 && !told.has(host)) options.onRefused(host)
    told.add(host)
  }
  const server = http.createServer({ keepAliveTimeout: IDLE, requestTimeout: 0 })
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', (socket: Socket) => socket.setTimeout(IDLE, () => socket.destroy()))
  server.on('request', (request, response) => {
    void forward(request, response, options).catch((error: unknown) => {
      if (error instanceof RefusedDestination) refuse(error.message)
      answer(response, error)
    })
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    void tunnel(request.url ?? '', socket, head, options).catch((error: unknown) => {
      if (error instanceof RefusedDestination) refuse(error.message)
      const [status, reason] = statusOf(error)
      socket.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: 0\r\n\r\n`)
    })
  })
  server.on('clientError', (_, socket: Duplex) => socket.destroy())
  return server
}

async function forward(request: IncomingMessage, response: ServerResponse, { env }: ProxyOptions): Promise<void> {
  const url = parseUrl(request.url ?? '')
  if (url?.protocol !== 'http:')
    throw new BadRequest('only http:// URLs are forwarded, https:// is tunnelled by CONNECT')
  const destination: Destination = { protocol: 'http:', host: url.hostname, port: Number(url.port) || 80 }
  const upstream = upstreamFor(destination, env)
  if (upstream !== undefined) await requireOutside(destination)
  const headers: OutgoingHttpHeaders = { ...request.headers, host: url.host }
  const named = String(request.headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  for (const name of [...HOP_BY_HOP, ...named]) delete headers[name]
  const { method } = request
  const sent =
    upstream === undefined
      ? http.request({ ...(await direct(destination)), method, path: `${url.pathname}${url.search}`, headers })
      : ask(upstream, { method, path: url.href, headers: { ...headers, ...authorizationOf(upstream) } })
  sent.setTimeout(IDLE, () => sent.destroy(new Error('no answer')))
  response.on('close', () => sent.destroy())
  const feeding = pipeline(request, sent).catch(() => undefined)
  const [got] = (await once(sent, 'response')) as [IncomingMessage]
  const back: OutgoingHttpHeaders = { ...got.headers }
  for (const name of HOP_BY_HOP) delete back[name]
  response.writeHead(got.statusCode ?? 502, back)
  await pipeline(got, response)
  await feeding
}

async function tunnel(authority: string, client: Duplex, head: Buffer, { env }: ProxyOptions): Promise<void> {
  const url = parseUrl(`http://${authority}`)
  if (url === undefined || !/:\d+$/.test(authority)) throw new BadRequest('CONNECT needs HOST:PORT')
  const destination: Destination = { protocol: 'https:', host: url.hostname, port: Number(url.port) || 80 }
  const upstream = upstreamFor(destination, env)
  const server = upstream === undefined ? await open(destination) : await openThrough(upstream, destination)
  server.on('error', () => client.destroy())
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroy())
  server.setTimeout(IDLE, () => server.destroy())
  client.write('HTTP/1.1 200 OK\r\n\r\n')
  // a tunnel is for HTTPS: what speaks something else is not let through
  const first = head.length > 0 ? head : ((await once(client, 'data')) as [Buffer])[0]
  client.pause()
  if (first[0] !== TLS_HANDSHAKE) {
    server.destroy()
    throw new BadRequest('only TLS is tunnelled')
  }
  server.write(first)
  await Promise.all([pipeline(client, server), pipeline(server, client)]).catch(() => undefined)
}

async function open(destination: Destination): Promise<Socket> {
  const socket = connect(await direct(destination))
  await once(socket, 'connect')
  return socket
}

async function openThrough(upstream: Upstream, destination: Destination): Promise<Socket> {
  await requireOutside(destination)
  const path = `${destination.host}:${destination.port}`
  const sent = ask(upstream, { method: 'CONNECT', path, headers: { host: path, ...authorizationOf(upstream) } })
  sent.end()
  const [response, socket] = await new Promise<[IncomingMessage, Socket?]>((resolve, reject) => {
    sent.once('connect', (got: IncomingMessage, opened: Socket) => resolve([got, opened]))
    sent.once('response', (got: IncomingMessage) => resolve([got]))
    sent.once('error', reject)
    sent.setTimeout(IDLE, () => sent.destroy(new Error('no answer')))
  })
  if (response.statusCode === 200 && socket !== undefined) return socket
  sent.destroy()
  throw new Error(`the proxy of this host answers ${response.statusCode}`)
}

function ask(upstream: Upstream, options: http.RequestOptions): http.ClientRequest {
  const { request } = upstream.protocol === 'https:' ? https : http
  return request({ host: upstream.host, port: upstream.port, ...options })
}

function authorizationOf({ authorization }: Upstream): OutgoingHttpHeaders {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization }
}

async function direct({ host, port }: Destination): Promise<{ host: string; port: number; family: number }> {
  const { address, family } = await resolveDestination(host)
  return { host: address, port, family }
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
