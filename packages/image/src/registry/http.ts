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
  /** Value of the Authorization header; sent to the first host only. */
  readonly authorization?: string
}

const ATTEMPTS = 5
const MAX_REDIRECTS = 5
const MAX_WAIT = 60_000
const RETRIED = [408, 429, 500, 502, 503, 504]

/**
 * Sends a request, follows redirects and asks again (at most five times in all) when the server is busy or the
 * connection breaks before the answer. Authorization never goes to another origin than the first, nor from TLS to plain
 * text; what carries a body, or changes something, follows no redirect. The caller reads or cancels the body.
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
      if (error instanceof C2mError) throw error
      if (attempt === attempts || !isTransient(error)) throw unreachable(error, url)
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
    })
    const location = response.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response
    await response.body?.cancel()
    if (method !== 'GET' && method !== 'HEAD') throw redirectError(first, 'redirects where data was sent')
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined
    if (next === undefined || !['http:', 'https:'].includes(next.protocol))
      throw redirectError(first, 'redirects to no web address')
    if (url.protocol === 'https:' && next.protocol === 'http:')
      throw redirectError(first, `redirects from TLS to plain text (${next.host})`)
    url = next
  }
  throw redirectError(first, `redirects more than ${MAX_REDIRECTS} times`)
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

function unreachable(error: unknown, url: URL): C2mError {
  const code = networkCode(error)
  const [what, hint] = describe(code)
  return new C2mError('C2M_REGISTRY_UNREACHABLE', `cannot reach the registry ${url.host}: ${what}`, {
    hint,
    cause: error,
  })
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

function redirectError(url: URL, what: string): C2mError {
  return new C2mError('C2M_REGISTRY_REDIRECT', `the registry ${url.host} ${what}`, {
    hint: 'this is a fault of the registry; tell its operator',
  })
}
