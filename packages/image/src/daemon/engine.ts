import { request, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { C2mError, ExitCode, isC2mError, throwIfAborted, usageError } from '@c2m/process'

/** A daemon with Docker's Engine API: Docker itself, or podman's service. */
export interface Engine {
  /** For messages, e.g. 'unix:///var/run/docker.sock'. */
  readonly address: string
  readonly target: { readonly socketPath: string } | { readonly host: string; readonly port: number }
}

const DEFAULT_PORT = 2375
const PING_TIMEOUT = 3000
const MAX_JSON = 8 * 1024 * 1024

/**
 * Where a daemon may be: DOCKER_HOST alone when it is set, else the usual sockets of Docker and podman.
 * @throws C2M_DAEMON_ADDRESS (usage) when DOCKER_HOST is neither unix:// nor tcp://
 */
function engineCandidates(env: NodeJS.ProcessEnv): readonly Engine[] {
  if (env.DOCKER_HOST) return [parseAddress(env.DOCKER_HOST, env)]
  const runtime = env.XDG_RUNTIME_DIR
  return [
    '/var/run/docker.sock',
    ...(runtime?.startsWith('/') === true ? [`${runtime}/docker.sock`, `${runtime}/podman/podman.sock`] : []),
    '/run/podman/podman.sock',
  ].map(socketEngine)
}

function socketEngine(socketPath: string): Engine {
  return { address: `unix://${socketPath}`, target: { socketPath } }
}

function parseAddress(address: string, env: NodeJS.ProcessEnv): Engine {
  if (/^unix:\/\/\/./.test(address)) return socketEngine(address.slice('unix://'.length))
  const url =
    /^(tcp|http):\/\//.test(address) && URL.canParse(address) ? new URL(address.replace(/^tcp/, 'http')) : undefined
  if (url === undefined || env.DOCKER_TLS_VERIFY) {
    throw usageError(
      'C2M_DAEMON_ADDRESS',
      `DOCKER_HOST=${address} is not an address that c2m can use${url === undefined ? '' : ' with DOCKER_TLS_VERIFY'}`,
      "it takes unix:///SOCKET and tcp://HOST:PORT without TLS; elsewhere use 'docker save' and docker-archive:FILE",
    )
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { address, target: { host, port: url.port === '' ? DEFAULT_PORT : Number(url.port) } }
}

/** The first daemon that answers; undefined when none does. */
export async function findEngine(env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<Engine | undefined> {
  for (const engine of engineCandidates(env)) {
    try {
      const timeout = AbortSignal.timeout(PING_TIMEOUT)
      const response = await get(engine, '/_ping', signal === undefined ? timeout : AbortSignal.any([signal, timeout]))
      response.resume()
      if (response.statusCode === 200) return engine
    } catch {
      throwIfAborted(signal)
    }
  }
  return undefined
}

/** @throws C2M_DAEMON_UNREACHABLE (exit code 3) that lists where one was looked for */
export async function requireEngine(env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<Engine> {
  const engine = await findEngine(env, signal)
  if (engine !== undefined) return engine
  const places = engineCandidates(env).map(({ address }) => address)
  throw new C2mError('C2M_DAEMON_UNREACHABLE', `no container daemon answers at ${places.join(', ')}`, {
    hint: 'start Docker or podman.socket, check that you may open the socket, or set DOCKER_HOST',
    exitCode: ExitCode.missing,
  })
}

/** Sends a GET request of the Engine API. `path` must be encoded. */
function get(engine: Engine, path: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({
      ...engine.target,
      path,
      method: 'GET',
      signal,
      agent: false,
      headers: { host: 'docker', connection: 'close' },
    })
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.end()
  })
}

/**
 * Sends a body of known size with POST and gives the answer's text.
 * @throws C2M_DAEMON_FAILED; C2M_INTERRUPTED; what the source throws
 */
export async function postStream(
  engine: Engine,
  path: string,
  body: { readonly type: string; readonly size: number; readonly source: AsyncIterable<Uint8Array> },
  signal: AbortSignal | undefined,
): Promise<string> {
  throwIfAborted(signal)
  const headers = { host: 'docker', connection: 'close', 'content-type': body.type, 'content-length': body.size }
  const sent = request({ ...engine.target, path, method: 'POST', signal, agent: false, headers })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
  answered.catch(() => undefined)
  let failure: unknown
  // a daemon may answer before it read everything, so a broken pipe is judged by its answer
  const sending = pipeline(Readable.from(body.source, { objectMode: false }), sent).catch((error: unknown) => {
    failure = error
    sent.destroy()
  })
  try {
    const response = await answered
    const said = (await readBody(engine, response)).toString('utf8')
    if (response.statusCode === 200) return said
    throw daemonFailed(engine, `status ${response.statusCode}: ${messageOf(said)}`)
  } catch (error) {
    throwIfAborted(signal)
    if (isC2mError(error)) throw error
    if (isC2mError(failure)) throw failure
    throw daemonFailed(engine, 'it breaks off in the middle', error)
  } finally {
    sent.destroy()
    await sending
  }
}

/**
 * A JSON answer; undefined for 404.
 * @throws C2M_DAEMON_FAILED; C2M_INTERRUPTED
 */
export async function getJson(engine: Engine, path: string, signal: AbortSignal | undefined): Promise<unknown> {
  const response = await getOr(engine, path, signal)
  if (response === undefined) return undefined
  const bytes = await readBody(engine, response)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw daemonFailed(engine, 'its answer is not JSON', error)
  }
}

/**
 * A streamed answer; undefined for 404.
 * @throws C2M_DAEMON_FAILED, also while it is read, when the daemon breaks off; C2M_INTERRUPTED
 */
export async function getStream(
  engine: Engine,
  path: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const response = await getOr(engine, path, signal)
  if (response === undefined) return undefined
  return watched(engine, response, signal)
}

async function* watched(
  engine: Engine,
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array
  } catch (error) {
    throwIfAborted(signal)
    throw daemonFailed(engine, 'it breaks off in the middle', error)
  }
  if (!response.complete) throw daemonFailed(engine, 'it breaks off in the middle')
}

async function getOr(
  engine: Engine,
  path: string,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage | undefined> {
  const response = await get(engine, path, signal).catch((error: unknown) => {
    throwIfAborted(signal)
    throw daemonFailed(engine, 'it does not answer', error)
  })
  if (response.statusCode === 200) return response
  const said = (await readBody(engine, response)).toString('utf8')
  if (response.statusCode === 404) return undefined
  throw daemonFailed(engine, `status ${response.statusCode}: ${messageOf(said)}`)
}

/** @throws C2M_DAEMON_FAILED when it has more than 8 MiB */
async function readBody(engine: Engine, response: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_JSON) throw daemonFailed(engine, `it answers with more than ${MAX_JSON} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message).slice(0, 500)
  } catch {
    return body.slice(0, 200)
  }
}

export function daemonFailed(engine: Engine, what: string, cause?: unknown): C2mError {
  return new C2mError('C2M_DAEMON_FAILED', `the container daemon at ${engine.address} failed: ${what}`, {
    hint: "look into the daemon's log, or save the image yourself and use docker-archive:FILE",
    cause,
  })
}
