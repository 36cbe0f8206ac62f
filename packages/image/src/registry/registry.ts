import { C2mError, silentReporter, type Reporter } from '@c2m/process'
import type { FoundImage } from '../image.js'
import { assembleImage } from '../manifest/assembly.js'
import { chooseManifest } from '../manifest/choice.js'
import { isDigest, sha256, verifyBytes, type Expected } from '../manifest/digest.js'
import { MAX_MANIFEST } from '../manifest/json.js'
import { parseManifest, type Descriptor } from '../manifest/manifest.js'
import { INDEX_TYPES, MANIFEST_TYPES } from '../manifest/media-type.js'
import type { Platform } from '../manifest/platform.js'
import { familiarName, type RegistryName } from '../reference/registry-name.js'
import { cachedBlob, keepBlob, readCachedBlob, type ImageStore } from '../store/store.js'
import { errorCodes } from './error-code.js'
import { findCredentials } from './credentials.js'
import { isLoopback, type HttpContext } from './http.js'
import { deniedError, openSession, readLimited, strangerError, type Session, type SessionOptions } from './session.js'
import { transfer } from './transfer.js'

export interface RegistryContext extends HttpContext {
  readonly store: ImageStore
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
  readonly insecureHosts: readonly string[]
}

const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ')

/**
 * Finds an image at its registry (OCI distribution-spec, "Pulling"). Manifests, configurations and layers that were
 * pulled are kept in the store by digest; a tag is asked for each time. Node's fetch ignores proxy variables unless
 * NODE_USE_ENV_PROXY is set (Node 22.21 and 24).
 * @throws C2M_REGISTRY_…; C2M_IMAGE_NOT_FOUND; C2M_IMAGE_PLATFORM; C2M_IMAGE_MANIFEST; C2M_IMAGE_DIGEST_MISMATCH
 */
export async function findInRegistry(
  image: RegistryName,
  name: string,
  platform: Platform,
  context: RegistryContext,
): Promise<FoundImage> {
  const origin = familiarName(image)
  const { store } = context
  // what is named by digest and is wholly in the cache needs no network, so the session begins when it is needed
  let opened: Promise<Session> | undefined
  const session = () => (opened ??= startSession(image, context))

  const readBlob = async (expected: Expected, maximum: number, kind: 'manifests' | 'blobs') => {
    const cached = await readCachedBlob(store, expected)
    if (cached !== undefined) return cached
    const accept: Record<string, string> = kind === 'manifests' ? { accept: ACCEPT } : {}
    const response = await getOk(await session(), image, `${kind}/${expected.digest}`, accept, expected.digest)
    const bytes = await readLimited(response, maximum)
    verifyBytes(bytes, expected, origin)
    await keepBlob(store, expected.digest, bytes)
    return bytes
  }
  const top = await readTop(image, origin, session, (digest) => readBlob({ digest }, MAX_MANIFEST, 'manifests'))
  await keepBlob(store, top.digest, top.bytes)
  const found =
    top.parsed.kind === 'manifest'
      ? { manifest: top.parsed, digest: top.digest }
      : await chooseManifest(
          top.parsed.manifests,
          platform,
          (entry) => readBlob(entry, MAX_MANIFEST, 'manifests'),
          origin,
        )
  const openLayer = ({ digest, size }: Descriptor) => {
    const request = async (headers: Readonly<Record<string, string>>) =>
      getOk(await session(), image, `blobs/${digest}`, headers, digest)
    const fetchIt = () => transfer(request, size, `${digest} of ${origin}`, context)
    return cachedBlob(store, { digest, size }, fetchIt, { origin, ...context })
  }
  return assembleImage({
    ...found,
    name,
    origin,
    platform,
    readBlob: (expected, maximum) => readBlob(expected, maximum, 'blobs'),
    bytesId: ({ digest }) => Promise.resolve(`the blob ${digest}`),
    openLayer,
  })
}

/** @param push what is going to be pushed needs more rights than reading */
export function startSession(
  image: RegistryName,
  context: Omit<RegistryContext, 'store'>,
  push?: Pick<SessionOptions, 'purpose' | 'alsoRead'>,
): Promise<Session> {
  const { registry, repository } = image
  const { env, reporter, signal, retryDelay, insecureHosts } = context
  return openSession({
    ...push,
    registry,
    repository,
    signal,
    retryDelay,
    insecure: isLoopback(new URL(`http://${registry}`)) || insecureHosts.includes(registry),
    credentials: () => findCredentials(registry, repository, env, reporter ?? silentReporter, signal),
  })
}

/** What the name itself points at: a manifest or an index. */
async function readTop(
  image: RegistryName,
  origin: string,
  session: () => Promise<Session>,
  readManifest: (digest: string) => Promise<Uint8Array>,
) {
  if (image.digest !== undefined) {
    const bytes = await readManifest(image.digest)
    return { bytes, parsed: parseManifest(bytes, undefined, `the manifest of ${origin}`), digest: image.digest }
  }
  const tag = image.tag ?? 'latest'
  const registry = await session()
  const response = await getOk(registry, image, `manifests/${tag}`, { accept: ACCEPT }, `tag '${tag}'`)
  const bytes = await readLimited(response, MAX_MANIFEST)
  // who only stores it knows neither its digest nor its type
  const own = registry.stranger(response) === undefined ? response.headers : undefined
  const stated = own?.get('docker-content-digest') ?? undefined
  if (stated !== undefined && isDigest(stated)) verifyBytes(bytes, { digest: stated }, origin)
  const type = own?.get('content-type')?.split(';')[0]?.trim()
  return { bytes, parsed: parseManifest(bytes, type, `the manifest of ${origin}`), digest: sha256(bytes) }
}

/** @throws C2M_REGISTRY_DENIED; C2M_IMAGE_NOT_FOUND; C2M_REGISTRY_PROTOCOL for every other answer but 200 and 206 */
async function getOk(
  session: Session,
  { registry, repository }: RegistryName,
  path: string,
  headers: Readonly<Record<string, string>>,
  what: string,
): Promise<Response> {
  const response = await session.get(path, headers)
  if (response.status === 200 || response.status === 206) return response
  const stranger = session.stranger(response)
  if (stranger !== undefined) {
    await response.body?.cancel()
    throw strangerError(stranger, registry, response.status, what)
  }
  const codes = errorCodes(await readLimited(response, 64 * 1024).catch(() => new Uint8Array()))
  if (response.status === 401 || response.status === 403) throw deniedError(registry, repository, false)
  if (response.status === 404) {
    const unknownName = codes.includes('NAME_UNKNOWN')
    throw new C2mError(
      'C2M_IMAGE_NOT_FOUND',
      unknownName
        ? `the registry ${registry} has no repository ${repository}`
        : `the registry ${registry} has no ${what} in ${repository}`,
      { hint: 'check the spelling of the name and the tag' },
    )
  }
  if (response.status === 429) {
    throw new C2mError('C2M_REGISTRY_BUSY', `the registry ${registry} allows no more requests for now`, {
      hint: `log in for a higher limit (docker login ${registry}), or try again later`,
    })
  }
  const said = codes.length > 0 ? ` (${codes.join(', ')})` : ''
  throw new C2mError(
    'C2M_REGISTRY_PROTOCOL',
    `the registry ${registry} answers with status ${response.status}${said} for ${what} in ${repository}`,
    {
      hint: 'try again later; when it stays so, tell the operator of the registry',
    },
  )
}
