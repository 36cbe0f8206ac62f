import { C2mError } from '@c2m/process'
import type { Credentials } from './credentials.js'
import { parseChallenges, type Challenge } from './challenge.js'
import { isLoopback, isUnreachable, send, webAddress, type HttpContext, type HttpRequest } from './http.js'

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
  /** The registry's address. */
  readonly base: URL
  /** `path` follows `/v2/<repository>/`. */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<Response>
  /**
   * @param target what follows `/v2/<repository>/`, or an address that the registry gave. Credentials go to the registry
   *   only.
   */
  request(target: string | URL, request: SessionRequest): Promise<Response>
  /** The host that answered when it is not the registry, whose word its answer then is not. */
  stranger(response: Response): string | undefined
}

export interface SessionRequest extends Omit<HttpRequest, 'authorization' | 'staysThere'> {
  /** How often it is sent at most while the registry cannot be reached; default 5. */
  readonly attempts?: number
}

const MAX_TOKEN_ANSWER = 1024 * 1024

/**
 * Opens a session (OCI distribution-spec, "Determining Support"; token authentication as in the distribution project's
 * "Token Authentication Specification"). Whom to show credentials only the registry itself says, at best when its /v2/ is
 * asked; who else answers, after a redirect or at the address of an upload, is never shown any.
 * @throws C2M_REGISTRY_UNREACHABLE; C2M_REGISTRY_PROTOCOL; C2M_REGISTRY_DENIED; C2M_REGISTRY_REDIRECT
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { base, challenges } = await findRegistry(options)
  let known = challenges
  let authorization: string | undefined
  let credentials: Promise<Credentials | undefined> | undefined
  let renewal: Promise<string | undefined> | undefined

  /** Several requests may be refused at once; they share one new authorization. */
  const authorize = (refused: Response, used: string | undefined): Promise<string | undefined> => {
    if (authorization !== used) return Promise.resolve(authorization)
    renewal ??= (async () => {
      const said = challengesOf(refused)
      if (known.length === 0) known = said
      credentials ??= options.credentials()
      const scope = said.find(({ scheme }) => scheme === 'bearer')?.parameters.get('scope')
      authorization = await answer(known, scope, await credentials, base, options)
      return authorization
    })().finally(() => (renewal = undefined))
    return renewal
  }

  const stranger = (response: Response) => {
    const { origin, host } = new URL(response.url)
    return origin === base.origin ? undefined : host
  }
  const ask = async (url: URL, request: HttpRequest, context: HttpContext) => {
    const response = await send(url, request, context)
    const host = stranger(response)
    if (host === undefined || (response.status !== 401 && response.status !== 403)) return response
    await response.body?.cancel()
    throw new C2mError(
      'C2M_REGISTRY_REDIRECT',
      `${host}, where the registry ${base.host} leads to, refuses with status ${response.status}`,
      { hint: 'credentials are shown to the registry itself only; this is a fault of the registry, tell its operator' },
    )
  }

  const request = async (target: string | URL, { attempts, ...what }: SessionRequest): Promise<Response> => {
    const url = typeof target === 'string' ? new URL(`/v2/${options.repository}/${target}`, base) : target
    const context = attempts === undefined ? options : { ...options, attempts }
    if (url.origin !== base.origin) return ask(url, what, context)
    const used = authorization
    const response = await ask(url, { ...what, authorization: used }, context)
    if (response.status !== 401) return response
    await response.body?.cancel()
    const fresh = await authorize(response, used)
    if (fresh === undefined || fresh === used) return response
    return ask(url, { ...what, authorization: fresh }, context)
  }
  return { base, request, get: (path, headers) => request(path, { headers }), stranger }
}

interface FoundRegistry {
  readonly base: URL
  readonly challenges: readonly Challenge[]
}

/** TLS first, also where plain text is allowed. */
async function findRegistry(options: SessionOptions): Promise<FoundRegistry> {
  const host = options.registry === 'docker.io' ? 'registry-1.docker.io' : options.registry
  const ping = async (base: URL, attempts?: number): Promise<FoundRegistry> => {
    const response = await send(new URL('/v2/', base), { headers: {} }, { ...options, attempts })
    await response.body?.cancel()
    const isOwn = new URL(response.url).origin === base.origin
    if (response.ok || response.status === 401 || response.status === 403)
      return { base, challenges: isOwn ? challengesOf(response) : [] }
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

function challengesOf(response: Response): readonly Challenge[] {
  return response.status === 401 ? parseChallenges(response.headers.get('www-authenticate') ?? '') : []
}

async function answer(
  challenges: readonly Challenge[],
  scope: string | undefined,
  credentials: Credentials | undefined,
  base: URL,
  options: SessionOptions,
): Promise<string | undefined> {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer !== undefined) return `Bearer ${await fetchToken(bearer, scope, credentials, base, options)}`
  const basic = challenges.some(({ scheme }) => scheme === 'basic')
  return basic && credentials?.kind === 'password' ? basicAuthorization(credentials) : undefined
}

function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function fetchToken(
  { parameters }: Challenge,
  namedScope: string | undefined,
  credentials: Credentials | undefined,
  base: URL,
  options: SessionOptions,
): Promise<string> {
  const { registry, repository } = options
  const url = webAddress(parameters.get('realm') ?? '')
  const isWithin = base.protocol === 'http:' && isLoopback(base) && url !== undefined && isLoopback(url)
  if (url === undefined || !(url.protocol === 'https:' || isWithin)) {
    throw new C2mError('C2M_REGISTRY_PROTOCOL', `the registry ${registry} names no usable token service`, {
      hint: 'outside of this machine tokens are asked for over TLS only; this is a fault of the registry, tell its operator',
    })
  }
  const service = parameters.get('service')
  const scope = scopeOf(namedScope, options)
  const request =
    credentials?.kind === 'identity' ? oauthRequest(service, scope, credentials.token) : tokenRequest(credentials)
  const target = credentials?.kind === 'identity' ? url : tokenUrl(url, service, scope)
  const response = await send(target, { ...request, staysThere: true }, options)
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
function scopeOf(named: string | undefined, { repository, purpose, alsoRead = [] }: SessionOptions): string {
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

/** An answer that is neither the registry's nor what was asked for. */
export function strangerError(host: string, registry: string, status: number, what: string): C2mError {
  return new C2mError(
    'C2M_REGISTRY_PROTOCOL',
    `${host}, where the registry ${registry} leads to, answers with status ${status} for ${what}`,
    { hint: 'try again later; when it stays so, tell the operator of the registry' },
  )
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
