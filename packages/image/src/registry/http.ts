import { setTimeout as sleep } from 'node:timers/promises'
import { C2mError, interrupted, throwIfAborted } from '@c2m/process'

export interface HttpContext {
  readonly signal: AbortSignal | undefined
  /** Milliseconds before the second attempt. */
  readonly retryDelay: number
  /** How often a request is sent at most; default 5. */
  readonly attempts?: number
}

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** A function gives the body anew for each attempt. */
  readonly body?: string | Uint8Array | (() => AsyncIterable<Uint8Array>)
  /** Ends this request alone, which then counts as a broken connection. */
  readonly signal?: AbortSignal
  /** Value of the Authorization header; sent to the first origin only. */
  readonly authorization?: string
  /** Whether only the first origin may answer. */
  readonly staysThere?: boolean
}

const ATTEMPTS = 5
const MAX_REDIRECTS = 5
const MAX_WAIT = 60_000
const RETRIED = [408, 429, 500, 502, 503, 504]

/**
 * Sends a request, follows redirects and asks again (at most five times in all) when the server is busy or the
 * connection breaks before the answer. Authorization never goes to another origin (scheme, host and port) than the first;
 * what carries a body, or changes something, follows no redirect. `url` of the response tells who answered. The caller
 * reads or cancels the body.
 * @throws C2M_REGISTRY_UNREACHABLE; C2M_REGISTRY_REDIRECT; C2M_INTERRUPTED
 */
export async function send(url: URL, request: HttpRequest, context: HttpContext): Promise<Response> {
  const attempts = context.attempts ?? ATTEMPTS
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await sendOnce(url, request, context.signal)
      if (!RETRIED.includes(response.status) || attempt === attempts) return response
      await response.body?.cancel()
      await pause(attempt, context, retryAfter(response.headers.get('retry-after')))
    } catch (error) {
      throwIfAborted(context.signal)
      if (!(error instanceof NoAnswer)) throw error
      if (attempt === attempts || !isTransient(error.cause)) throw unreachable(error, url)
      await pause(attempt, context)
    }
  }
}

async function sendOnce(first: URL, request: HttpRequest, signal: AbortSignal | undefined): Promise<Response> {
  let url = first
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const isFirstOrigin = url.origin === first.origin
    const { method = 'GET', body } = request
    const response = await fetch(url.href, {
      method,
      redirect: 'manual',
      signal:
        signal !== undefined && request.signal !== undefined
          ? AbortSignal.any([signal, request.signal])
          : (signal ?? request.signal),
      ...(typeof body === 'function' ? { body: ReadableStream.from(body()), duplex: 'half' } : { body }),
      headers: {
        'user-agent': 'c2m',
        // fetch would undo a Content-Encoding behind the back of digests and ranges
        'accept-encoding': 'identity',
        ...request.headers,
        ...(isFirstOrigin && request.authorization !== undefined && { authorization: request.authorization }),
      },
    }).catch((error: unknown) => {
      throw new NoAnswer(url, error)
    })
    const location = response.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response
    await response.body?.cancel()
    if (method !== 'GET' && method !== 'HEAD') throw redirectError(first, 'redirects where data was sent')
    const next = leadsTo(location, url, first)
    if (request.staysThere === true && next.origin !== first.origin)
      throw redirectError(first, `redirects to ${next.host}, which must not see what is asked`)
    url = next
  }
  throw redirectError(first, `redirects more than ${MAX_REDIRECTS} times`)
}

/**
 * Where a Location header leads. Without TLS only to the host that was asked first, or within this machine, and never from
 * TLS; an address elsewhere may be private, for nothing secret is sent there and what it answers is checked by digest.
 * @param from who answered with it
 * @param first who was asked; nobody else leads back there, where credentials are sent to
 * @throws C2M_REGISTRY_REDIRECT
 */
export function leadsTo(location: string, from: URL, first: URL): URL {
  const next = webAddress(location, from)
  if (next === undefined) throw redirectError(first, 'redirects to no web address')
  if (next.protocol === 'http:' && (from.protocol === 'https:' || !(next.host === first.host || isLoopback(next))))
    throw redirectError(
      first,
      from.protocol === 'https:'
        ? `redirects from TLS to plain text (${next.host})`
        : `redirects to ${next.host} without TLS`,
      'it may run behind a proxy without knowing its own address; tell its operator',
    )
  if (from.origin !== first.origin && next.origin === first.origin)
    throw redirectError(first, `redirects to ${from.host}, and that back again`)
  return next
}

/** An address of HTTP that names no user; undefined when it is none. */
export function webAddress(text: string, base?: URL): URL | undefined {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:'
  return isWeb && url.username === '' && url.password === '' ? url : undefined
}

/** Whether an address is on this machine, whatever a name server says. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
}

/** Nobody answered at an address. */
class NoAnswer extends Error {
  constructor(
    readonly url: URL,
    cause: unknown,
  ) {
    super('no answer', { cause })
  }
}

/** Waits before attempt `attempt` + 1: twice as long each time, or as long as the server asks. */
export async function pause(attempt: number, context: HttpContext, asked?: number): Promise<void> {
  const milliseconds = Math.min(MAX_WAIT, asked ?? context.retryDelay * 2 ** (attempt - 1))
  await sleep(milliseconds, undefined, { signal: context.signal }).catch(() => {
    throw interrupted()
  })
}

/** Seconds, or a date (RFC 9110, 10.2.3); in milliseconds from now. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Code of the system or TLS error below fetch's 'fetch failed'. */
function networkCode(error: unknown): string {
  for (let at = error, depth = 0; depth < 5 && at instanceof Error; at = at.cause, depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) return networkCode(at.errors[0])
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string') return code
  }
  return ''
}

function isTransient(error: unknown): boolean {
  return [
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'UND_ERR_SOCKET',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
  ].includes(networkCode(error))
}

export function isUnreachable(error: unknown): error is C2mError {
  return error instanceof C2mError && error.code === 'C2M_REGISTRY_UNREACHABLE'
}

function unreachable({ url, cause }: NoAnswer, first: URL): C2mError {
  const [what, hint] = describe(networkCode(cause))
  const whom =
    url.origin === first.origin
      ? `the registry ${first.host}`
      : `${url.host}, where the registry ${first.host} redirects to`
  return new C2mError('C2M_REGISTRY_UNREACHABLE', `cannot reach ${whom}: ${what}`, { hint, cause })
}

function describe(code: string): [string, string] {
  const proxy = 'behind a proxy, Node 22.21 or newer honours HTTPS_PROXY with NODE_USE_ENV_PROXY=1'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return ['its name is not known', `check the spelling of the host and the network; ${proxy}`]
  if (code === 'ECONNREFUSED') return ['the connection was refused', 'check host and port, and that the registry runs']
  if (/^(ERR_SSL|EPROTO)/.test(code))
    return ['it does not speak TLS', 'only registries on this machine may be spoken to without TLS']
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) {
    return [
      `its certificate is not trusted (${code})`,
      'name the file of its certificate authority in NODE_EXTRA_CA_CERTS',
    ]
  }
  return [code === '' ? 'the request failed' : code, `check the network; ${proxy}`]
}

function redirectError(url: URL, what: string, hint = 'this is a fault of the registry; tell its operator'): C2mError {
  return new C2mError('C2M_REGISTRY_REDIRECT', `the registry ${url.host} ${what}`, { hint })
}
