import { usageError } from '@c2m/process'
import { isDigest } from '../manifest/digest.js'

/**
 * Name of an image at a registry, in the grammar of the distribution project's `reference` package and with Docker
 * Hub's defaults filled in: 'nginx' is 'docker.io/library/nginx'.
 */
export interface RegistryName {
  /** Host with optional port, e.g. 'docker.io', 'localhost:5000', '[::1]:5000'. */
  readonly registry: string
  /** E.g. 'library/nginx'. */
  readonly repository: string
  /** Absent when neither tag nor digest was written; then 'latest' is meant. */
  readonly tag?: string
  readonly digest?: string
}

export const DOCKER_HUB = 'docker.io'

const HOST =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const MAX_NAME = 255

/** @throws C2M_IMAGE_REFERENCE (usage) that says which part is wrong */
export function parseRegistryName(text: string): RegistryName {
  const [beforeDigest, digest] = splitAt(text, text.indexOf('@'))
  // a ':' behind the last '/' begins the tag; one before it belongs to the host's port
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1)
  const [path, tag] = splitAt(beforeDigest, colon)
  const { registry, repository } = splitHost(path)

  if (path.length > MAX_NAME) throw malformed(text.slice(0, 60) + '…', `the name is longer than ${MAX_NAME} characters`)
  if (!HOST.test(registry) || !URL.canParse(`http://${registry}`))
    throw malformed(text, `'${registry}' is not a host name`)
  if (repository !== repository.toLowerCase()) {
    throw malformed(text, `the repository '${repository}' has upper-case letters`, repository.toLowerCase())
  }
  const bad = repository.split('/').find((component) => !COMPONENT.test(component))
  if (bad !== undefined) throw malformed(text, bad === '' ? 'a part of the name is empty' : `'${bad}' is no valid name`)
  if (tag !== undefined && !TAG.test(tag)) throw malformed(text, `'${tag}' is no valid tag`)
  if (digest !== undefined && !isDigest(digest)) {
    throw malformed(text, `'${digest}' is no digest of the form sha256:<64 hex digits> or sha512:<128 hex digits>`)
  }
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

/** Whether text may name an image at a registry. */
export function isRegistryName(text: string): boolean {
  try {
    parseRegistryName(text)
    return true
  } catch {
    return false
  }
}

/** The name as people write it: without Docker Hub's host and 'library/'. */
export function familiarName(name: RegistryName): string {
  const hub = name.registry === DOCKER_HUB
  const repository = hub ? name.repository.replace(/^library\//, '') : `${name.registry}/${name.repository}`
  return repository + (name.tag ? `:${name.tag}` : '') + (name.digest ? `@${name.digest}` : '')
}

/** Whether two names mean one image: registry, repository and tag ('latest' when neither tag nor digest is there). */
export function sameImage(a: RegistryName, b: RegistryName): boolean {
  return a.registry === b.registry && a.repository === b.repository && tagOf(a) === tagOf(b) && a.digest === b.digest
}

function tagOf(name: RegistryName): string | undefined {
  return name.tag ?? (name.digest === undefined ? 'latest' : undefined)
}

function splitHost(path: string): { registry: string; repository: string } {
  const slash = path.indexOf('/')
  const first = path.slice(0, Math.max(slash, 0))
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase()
  if (slash === -1 || !isHost) return { registry: DOCKER_HUB, repository: withLibrary(path) }
  const repository = path.slice(slash + 1)
  if (first === DOCKER_HUB || first === 'index.docker.io' || first === 'registry-1.docker.io') {
    return { registry: DOCKER_HUB, repository: withLibrary(repository) }
  }
  return { registry: first, repository }
}

function withLibrary(repository: string): string {
  return repository.includes('/') || repository === '' ? repository : `library/${repository}`
}

function splitAt(text: string, index: number): [string, string | undefined] {
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)]
}

function malformed(text: string, why: string, instead?: string) {
  return usageError(
    'C2M_IMAGE_REFERENCE',
    `'${text}' is not an image name: ${why}`,
    instead === undefined
      ? "write [HOST[:PORT]/]NAME[:TAG] or NAME@DIGEST, e.g. 'nginx:1.27', or name a file as './FILE'"
      : `names are lower case: '${instead}'`,
  )
}
