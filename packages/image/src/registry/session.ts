import { C2mError } from '@c2m/process'
import type { Credentials } from './credentials.js'
import { parseChallenges, type Challenge } from './challenge.js'
import { isUnreachable, send, type HttpContext, type HttpRequest } from './http.js'

export interface SessionOptions extends HttpContext {
  /** Host[:port] as in names. */
  readonly registry: string
  readonly repository: string
  /** Whether plain HTTP is allowed, as it is on the loopback interface. */
  readonly insecure: boolean
  /** What is going to be done; default 'pull'. */
  readonly purpose?: 'pull' | 'push'
  /** Other repositories of the registry that are read as well. */
  readonly alsoRead?: readonly string[]
  /** Asked once, when the registry wants to know who asks. */
  readonly credentials: () => Promise<Credentials | undefined>
}

/** Speaks to one repository of one registry, with whatever authentication it asks for. */
export interface Session {
  /** `path` follows `/v2/<repository>/`. */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<Response>
  /**
   * @param target what follows `/v2/<repository>/`, or an address that the registry gave. Credentials go to the registry
   *   only.
   */
  request(target: string | URL, request: SessionRequest): Promise<Response>
}

export interface SessionRequest extends Omit<HttpRequest, 'authorization'> {
  /** How often it is sent at most while the registry cannot be reached; default 5. */
  readonly attempts?: number
}

const MAX_TOKEN_ANSWER = 1024 * 1024

/**
 * Opens a session (OCI distribution-spec, "Determining Support"; token authentication as in the distribution project's
 * "Token Authentication Specification").
 * @throws C2M_REGISTRY_UNREACHABLE; C2M_REGISTRY_PROTOCOL; C2M_REGISTRY_DENIED
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const base = await findBase(options)
  let authorization: string | undefined
  let credentials: Promise<Credentials | undefined> | undefined
  let renewal: Promise<string | undefined> | undefined

  /** Several requests may be refused at once; they share one new authorization. */
  const authorize = (refused: Response, used: string | undefined): Promise<string | undefined> => {
    if (authorization !== used) return Promise.resolve(authorization)
    renewal ??= (async () => {
      credentials ??= options.credentials()
      authorization = await answer(refused, await credentials, base, options)
      return authorization
    })().finally(() => (renewal = undefined))
    return renewal
  }

  const request = async (target: string | URL, { attempts, ...what }: SessionRequest): Promise<Response> => {
    const url = typeof target === 'string' ? new URL(`/v2/${options.repository}/${target}`, base) : target
    const context = attempts === undefined ? options : { ...options, attempts }
    if (url.origin !== base.origin) return send(url, what, context)
    const used = authorization
    const response = await send(url, { ...what, authorization: used }, context)
    if (response.status !== 401) return response
    await response.body?.cancel()
    const fresh = await authorize(response, used)
    if (fresh === undefined || fresh === used) return response
    return send(url, { ...what, authorization: fresh }, context)
  }
  return { request, get: (path, headers) => request(path, { headers }) }
}

export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** TLS first, also where plain text is allowed. */
async function findBase(options: SessionOptions): Promise<URL> {
  const host = options.registry === 'docker.io' ? 'registry-1.docker.io' : options.registry
  const ping = async (base: URL, attempts?: number) => {
    const response = await send(new URL('/v2/', base), { headers: {} }, { ...options, attempts })
    await response.body?.cancel()
    if (response.ok || response.status === 401 || response.status === 403) return base
    throw new C2mError(
      'C2M_REGISTRY_PROTOCOL',
      `${host} is no image registry: it answers /v2/ with status ${response.status}`,
      {
        hint: 'check the host and port of the name',
      },
    )
  }
  const secure = new URL(`https://${host}`)
  if (!options.insecure) return ping(secure)
  try {
    return await ping(secure, 1)
  } catch (error) {
    if (!isUnreachable(error)) throw error
    return ping(new URL(`http://${host}`))
  }
}

async function answer(
  refused: Response,
  credentials: Credentials | undefined,
  base: URL,
  options: SessionOptions,
): Promise<string | undefined> {
  const challenges = parseChallenges(refused.headers.get('www-authenticate') ?? '')
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer !== undefined) return `Bearer ${await fetchToken(bearer, credentials, base, options)}`
  const basic = challenges.some(({ scheme }) => scheme === 'basic')
  return basic && credentials?.kind === 'password' ? basicAuthorization(credentials) : undefined
}

function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function fetchToken(
  challenge: Challenge,
  credentials: Credentials | undefined,
  base: URL,
  options: SessionOptions,
): Promise<string> {
  const { registry, repository } = options
  const realm = challenge.parameters.get('realm') ?? ''
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  const isPlain = url?.protocol === 'http:' && base.protocol === 'http:'
  if (url === undefined || !(url.protocol === 'https:' || isPlain)) {
    throw new C2mError('C2M_REGISTRY_PROTOCOL', `the registry ${registry} names no usable token service`, {
      hint: 'tokens are asked for over TLS only; this is a fault of the registry, tell its operator',
    })
  }
  const service = challenge.parameters.get('service')
  const scope = scopeOf(challenge, options)
  const response =
    credentials?.kind === 'identity'
      ? await send(url, oauthRequest(service, scope, credentials.token), options)
      : await send(tokenUrl(url, service, scope), tokenRequest(credentials), options)
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel()
    throw deniedError(registry, repository, credentials !== undefined, options.purpose)
  }
  const token = response.ok ? readToken(await readLimited(response, MAX_TOKEN_ANSWER)) : undefined
  if (token !== undefined) return token
  if (!response.ok) await response.body?.cancel()
  throw new C2mError(
    'C2M_REGISTRY_PROTOCOL',
    `the token service ${url.host} of ${registry} gave no token (status ${response.status})`,
    {
      hint: 'try again later',
    },
  )
}

/** A push asks for all it needs at once, for a registry names only what the refused request lacked. */
function scopeOf(challenge: Challenge, { repository, purpose, alsoRead = [] }: SessionOptions): string {
  const named = challenge.parameters.get('scope')
  if (purpose !== 'push') return named ?? `repository:${repository}:pull`
  const own = [`repository:${repository}:pull,push`, ...alsoRead.map((other) => `repository:${other}:pull`)]
  const others = (named ?? '')
    .split(' ')
    .filter((scope) => scope !== '' && !scope.startsWith(`repository:${repository}:`))
  return [...new Set([...own, ...others])].join(' ')
}

function tokenUrl(realm: URL, service: string | undefined, scope: string): URL {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const one of scope.split(' ')) url.searchParams.append('scope', one)
  return url
}

function tokenRequest(credentials: Credentials | undefined) {
  return {
    headers: { accept: 'application/json' },
    ...(credentials?.kind === 'password' && { authorization: basicAuthorization(credentials) }),
  }
}

/** OAuth 2 refresh token grant (distribution's "OAuth 2 token authentication"). */
function oauthRequest(service: string | undefined, scope: string, token: string) {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'c2m', scope, refresh_token: token })
  if (service !== undefined) body.set('service', service)
  return {
    method: 'POST' as const,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  }
}

function readToken(bytes: Uint8Array): string | undefined {
  try {
    const { token, access_token: access } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>
    const found = typeof token === 'string' && token !== '' ? token : access
    return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined
  } catch {
    return undefined
  }
}

/** @throws C2M_REGISTRY_PROTOCOL when the body has more than `maximum` bytes */
export async function readLimited(response: Response, maximum: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maximum) {
      throw new C2mError(
        'C2M_REGISTRY_PROTOCOL',
        `${new URL(response.url).host} answers with more than ${maximum} bytes`,
        {
          hint: 'this is a fault of the registry; tell its operator',
        },
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function deniedError(
  registry: string,
  repository: string,
  known: boolean,
  purpose: 'pull' | 'push' = 'pull',
): C2mError {
  const stored = `the stored credentials are not accepted, or do not cover it: docker login ${registry}`
  const unknown =
    purpose === 'pull'
      ? `it is private or does not exist; check its name, or log in first: docker login ${registry}`
      : `log in with an account that may push there: docker login ${registry}`
  const doing = purpose === 'pull' ? 'read' : 'write to'
  return new C2mError('C2M_REGISTRY_DENIED', `the registry ${registry} does not let you ${doing} ${repository}`, {
    hint: known ? stored : unknown,
  })
}
