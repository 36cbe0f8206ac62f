import { usageError } from '@c2m/process'
import { isDigest } from '../manifest/digest.js'
import { isFileName, withoutTarEnding } from './file-name.js'
import { parseRegistryName, type RegistryName } from './registry-name.js'

/** Which of several images in a layout or archive is meant. */
export interface ImageChoice {
  readonly tag?: string
  readonly digest?: string
  /** Position in the archive's list, from 0. */
  readonly index?: number
}

/**
 * Where an image comes from: the transports of containers-transports(5), and `container:`, `dockerfile:`, `tarball:`
 * and `dir:` (a bare root file system). 'bare' is text without a transport: a path when it looks like one, or is
 * one, else a name.
 */
export type ImageReference = Target & {
  /** As the user wrote it. */
  readonly text: string
  /** For titles and default file names, e.g. 'nginx-1.27'; made of letters, digits, '.', '_' and '-'. */
  readonly name: string
}

type Target =
  | { readonly transport: 'docker'; readonly image: RegistryName }
  | { readonly transport: 'docker-daemon'; readonly image: RegistryName | ImageId }
  | { readonly transport: 'oci' | 'oci-archive'; readonly path: string; readonly choice: ImageChoice }
  | { readonly transport: 'docker-archive'; readonly path: string; readonly choice: ArchiveChoice }
  | { readonly transport: 'container'; readonly container: string }
  | { readonly transport: 'dockerfile' | 'tarball' | 'dir'; readonly path: string }
  | { readonly transport: 'bare'; readonly path: string; readonly image?: undefined }
  | { readonly transport: 'bare'; readonly image: RegistryName; readonly path?: undefined }

/** An image in a daemon by its id: 64 hex digits, with or without 'sha256:'. */
export interface ImageId {
  readonly id: string
}

/** Which of several images in a docker-archive is meant. */
export interface ArchiveChoice {
  readonly name?: RegistryName
  /** Position in manifest.json, from 0. */
  readonly index?: number
}

const FORMS = [
  'docker://NAME',
  'docker-daemon:NAME',
  'docker-archive:FILE[:NAME:TAG|:@INDEX]',
  'oci:DIR[:TAG|@DIGEST]',
  'oci-archive:FILE[:TAG|@DIGEST]',
  'container:NAME',
  'dockerfile:DIR',
  'tarball:FILE',
  'dir:DIR',
]

/** Transports of other tools, which would otherwise read as an image name with a tag. */
const FOREIGN = ['containers-storage', 'ostree', 'sif', 'atomic', 'tarball+http', 'http', 'https', 'ssh', 'file']

/** @throws C2M_IMAGE_REFERENCE (exit code 2: wrong usage) */
export function parseReference(text: string): ImageReference {
  const target = parseTarget(text)
  return { ...target, text, name: fileName(shortName(target)) }
}

function parseTarget(text: string): Target {
  if (text.trim() === '') throw malformed(text, 'it is empty')
  if ([...text].some((character) => character < ' ' || character === '\x7f'))
    throw malformed(JSON.stringify(text), 'it has control characters')
  const [, transport, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text) ?? []
  if (transport === undefined || rest === undefined) return parseBare(text)
  switch (transport) {
    case 'docker':
      if (!rest.startsWith('//')) throw malformed(text, "'docker:' is followed by two slashes", `docker://${rest}`)
      return { transport, image: parseRegistryName(rest.slice(2)) }
    case 'docker-daemon':
      return { transport, image: parseDaemonImage(required(text, rest, 'an image name')) }
    case 'oci':
    case 'oci-archive':
      return { transport, ...splitChoice(text, rest) }
    case 'docker-archive':
      return { transport, ...splitArchiveChoice(text, rest) }
    case 'container':
      return { transport, container: parseContainer(text, rest) }
    case 'dockerfile':
    case 'tarball':
    case 'dir':
      return { transport, path: required(text, rest, 'a path') }
    default:
      if (rest.startsWith('//') || /^\.{0,2}\//.test(rest) || FOREIGN.includes(transport.toLowerCase())) {
        throw malformed(text, `the transport '${transport}:' is not known`)
      }
      return parseBare(text)
  }
}

function fileName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|(?<![-.])[-.]+$/g, '')
  return name === '' ? 'image' : name
}

function shortName(target: Target): string {
  switch (target.transport) {
    case 'docker':
      return nameAndTag(target.image)
    case 'docker-daemon':
      return 'id' in target.image ? target.image.id.replace(/^sha256:/, '').slice(0, 12) : nameAndTag(target.image)
    case 'container':
      return target.container
    case 'docker-archive':
      return target.choice.name === undefined ? baseName(target.path) : nameAndTag(target.choice.name)
    case 'oci':
    case 'oci-archive':
      return [baseName(target.path), target.choice.tag].filter((part) => part !== undefined).join('-')
    case 'bare':
      return target.image === undefined ? baseName(target.path) : nameAndTag(target.image)
    default:
      return baseName(target.path)
  }
}

function nameAndTag(name: RegistryName): string {
  const last = name.repository.slice(name.repository.lastIndexOf('/') + 1)
  return name.tag === undefined ? last : `${last}-${name.tag}`
}

function baseName(path: string): string {
  const last =
    path
      .replace(/(?<!\/)\/+$/, '')
      .split('/')
      .pop() ?? ''
  return withoutTarEnding(last)
}

function parseBare(text: string): Target {
  return isFileName(text) ? { transport: 'bare', path: text } : { transport: 'bare', image: parseRegistryName(text) }
}

function parseDaemonImage(text: string): RegistryName | ImageId {
  return isDigest(text) || /^[0-9a-f]{64}$/.test(text) ? { id: text } : parseRegistryName(text)
}

function parseContainer(text: string, name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) return name
  throw malformed(text, name === '' ? 'the name of the container is missing' : `'${name}' is no container name or id`)
}

/** Splits `PATH[:TAG|@DIGEST|:@INDEX]`; as in containers-transports(5), the path ends at the first colon. */
function splitChoice(text: string, rest: string): { path: string; choice: ImageChoice } {
  const at = rest.search(/:?@(?:sha\d+:|\d+$)/)
  if (at !== -1) {
    const path = required(text, rest.slice(0, at), 'a path')
    const chosen = rest.slice(rest.indexOf('@', at) + 1)
    if (/^\d+$/.test(chosen)) return { path, choice: { index: parseIndex(text, chosen) } }
    if (!isDigest(chosen)) throw malformed(text, `'${chosen}' is no digest`)
    return { path, choice: { digest: chosen } }
  }
  const colon = rest.indexOf(':')
  if (colon === -1) return { path: required(text, rest, 'a path'), choice: {} }
  const tag = rest.slice(colon + 1)
  if (tag === '') throw malformed(text, 'the tag after the colon is missing')
  return { path: required(text, rest.slice(0, colon), 'a path'), choice: { tag } }
}

function splitArchiveChoice(text: string, rest: string): { path: string; choice: ArchiveChoice } {
  const colon = rest.indexOf(':')
  if (colon === -1) return { path: required(text, rest, 'a path'), choice: {} }
  const path = required(text, rest.slice(0, colon), 'a path')
  const choice = rest.slice(colon + 1)
  if (choice.startsWith('@')) return { path, choice: { index: parseIndex(text, choice.slice(1)) } }
  return { path, choice: { name: parseRegistryName(required(text, choice, 'a name after the colon')) } }
}

function parseIndex(text: string, digits: string): number {
  if (!/^\d{1,6}$/.test(digits)) throw malformed(text, `'@${digits}' is no position in the archive`)
  return Number(digits)
}

function required(text: string, value: string, what: string): string {
  if (value === '') throw malformed(text, `${what} is missing`)
  return value
}

function malformed(text: string, why: string, instead?: string) {
  return usageError(
    'C2M_IMAGE_REFERENCE',
    `'${text}' does not name an image: ${why}`,
    instead === undefined
      ? `write a name such as nginx:1.27, a path such as ./image.tar, or one of ${FORMS.join(', ')}`
      : `write ${instead}`,
  )
}
