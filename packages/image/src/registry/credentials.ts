import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findTool, isC2mError, run, type Reporter } from '@c2m/process'
import { DOCKER_HUB } from '../reference/registry-name.js'

/** What a registry is given. Never part of an error or a log. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token ("identity token"). */
  | { readonly kind: 'identity'; readonly token: string }

const MAX_FILE = 1024 * 1024
const HELPER_TIMEOUT = 10_000

/** The key under which `docker login` keeps Docker Hub's credentials. */
const HUB_KEY = 'https://index.docker.io/v1/'

interface AuthFile {
  readonly auths?: Readonly<Record<string, { auth?: unknown; identitytoken?: unknown } | null>>
  readonly credHelpers?: Readonly<Record<string, unknown>>
  readonly credsStore?: unknown
}

/**
 * Credentials from podman's and Docker's files, the first that has some: $REGISTRY_AUTH_FILE,
 * $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json (containers-auth.json(5)), then
 * $DOCKER_CONFIG/config.json or ~/.docker/config.json with their credential helpers.
 */
export async function findCredentials(
  registry: string,
  repository: string,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  for (const path of authFiles(env)) {
    const file = await readAuthFile(path, reporter)
    if (file === undefined) continue
    const found = await lookUp(file, registry, repository, env, reporter, signal)
    if (found !== undefined) {
      reporter.detail(`credentials for ${registry} come from ${path}`)
      return found
    }
  }
  return undefined
}

function authFiles(env: NodeJS.ProcessEnv): readonly string[] {
  const home = env.HOME ?? homedir()
  const runtime = env.XDG_RUNTIME_DIR
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  return [
    ...(env.REGISTRY_AUTH_FILE ? [env.REGISTRY_AUTH_FILE] : []),
    ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
    join(config, 'containers/auth.json'),
    join(env.DOCKER_CONFIG ? env.DOCKER_CONFIG : join(home, '.docker'), 'config.json'),
  ]
}

async function readAuthFile(path: string, reporter: Reporter): Promise<AuthFile | undefined> {
  try {
    const bytes = await readFile(path)
    const value: unknown = bytes.length > MAX_FILE ? undefined : JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value
    reporter.warn(`${path} is not a JSON object and is left out of account`)
  } catch (error) {
    // the parser's message would quote the file's content
    if (error instanceof SyntaxError) reporter.warn(`${path} is not valid JSON and is left out of account`)
  }
  return undefined
}

async function lookUp(
  file: AuthFile,
  registry: string,
  repository: string,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const hosts = registry === DOCKER_HUB ? [HUB_KEY, 'index.docker.io', DOCKER_HUB, 'registry-1.docker.io'] : [registry]
  for (const host of hosts) {
    const helper = own(file.credHelpers, host)
    if (typeof helper === 'string') return askHelper(helper, host, env, reporter, signal)
  }
  for (const key of [
    ...namespaces(registry, repository),
    ...hosts.flatMap((host) => [host, `https://${host}`, `https://${host}/v1/`, `http://${host}`]),
  ]) {
    const found = decodeAuth(own(file.auths, key))
    if (found !== undefined) return found
  }
  const store = file.credsStore
  return typeof store === 'string' && store !== '' ? askHelper(store, hosts[0]!, env, reporter, signal) : undefined
}

/** auth.json may name a part of a registry: 'host/team/app', 'host/team'. */
function namespaces(registry: string, repository: string): readonly string[] {
  const parts = repository.split('/')
  return parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join('/')}`)
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return typeof record === 'object' && record !== null && Object.hasOwn(record, key) ? record[key] : undefined
}

function decodeAuth(entry: { auth?: unknown; identitytoken?: unknown } | null | undefined): Credentials | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  if (typeof entry.identitytoken === 'string' && entry.identitytoken !== '') {
    return { kind: 'identity', token: entry.identitytoken }
  }
  if (typeof entry.auth !== 'string' || entry.auth === '') return undefined
  const text = Buffer.from(entry.auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon <= 0) return undefined
  return {
    kind: 'password',
    username: text.slice(0, colon),
    password: text.slice(colon + 1).replace(/(?<!\0)\0+$/, ''),
  }
}

/** The protocol of docker-credential-helpers: `get`, the server on stdin, JSON on stdout. */
async function askHelper(
  helper: string,
  server: string,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const program = /^[A-Za-z0-9._-]+$/.test(helper) ? await findTool(`docker-credential-${helper}`) : undefined
  if (program === undefined) {
    reporter.warn(
      `the credential helper docker-credential-${helper.slice(0, 60)} is not installed; going on without credentials for ${server}`,
    )
    return undefined
  }
  try {
    const { exitCode, stdout } = await run(program, ['get'], {
      input: server,
      env,
      signal,
      timeout: HELPER_TIMEOUT,
      accept: ANY_EXIT,
    })
    if (exitCode !== 0) return undefined // "credentials not found in native keychain"
    const { Username: username, Secret: secret } = JSON.parse(stdout) as { Username?: unknown; Secret?: unknown }
    if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined
    return username === '<token>'
      ? { kind: 'identity', token: secret }
      : { kind: 'password', username, password: secret }
  } catch (error) {
    if (isC2mError(error) && error.code === 'C2M_INTERRUPTED') throw error
    // what the helper printed may be the secret, so it is not repeated
    reporter.warn(`docker-credential-${helper} gave no usable answer; going on without credentials for ${server}`)
    return undefined
  }
}

const ANY_EXIT = Array.from({ length: 256 }, (_, code) => code)
