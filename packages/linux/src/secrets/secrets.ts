import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { baseName, relativePath } from '../files/paths.js'
import { KEY_NAMES, KEY_PLACES, NOBODYS, PRIVATE_KEY, SECRET_PATTERNS, type SecretKind } from './patterns.js'

export type { SecretKind } from './patterns.js'

export interface SecretFinding {
  readonly path: string
  readonly kind: SecretKind
  /** As words after 'because it'. */
  readonly why: string
}

/** Bytes at the beginning of a file that are looked at. */
const LOOK = 64 * 1024
/** No key or file of credentials that people write is larger. */
const LARGEST_KEY = 256 * 1024
/** Files whose beginning is read at most; further ones are judged by their path only. */
const MOST_LOOKS = 50_000

/**
 * Files that look like secrets, by their path and a look at the beginning of small ones. What they hold is never part of the
 * result. Only regular files, in the order of a walk.
 */
export async function* findSecrets(rootfs: Rootfs): AsyncGenerator<SecretFinding> {
  let looks = 0
  for await (const entry of rootfs.walk()) {
    const found = await judge(entry, async (pattern) => {
      if (++looks > MOST_LOOKS) return false
      return pattern.test(await beginning(rootfs, entry))
    })
    if (found !== undefined) yield { path: entry.path, ...found }
  }
}

/** Whether the file that a path leads to looks like one; undefined when it does not, or there is none. */
export async function secretAt(rootfs: Rootfs, path: string): Promise<SecretFinding | undefined> {
  const place = await rootfs.resolve(relativePath(path))
  const entry = place === undefined ? undefined : await rootfs.stat(place)
  if (entry === undefined) return undefined
  const found = await judge(entry, async (pattern) => pattern.test(await beginning(rootfs, entry)))
  return found === undefined ? undefined : { path: entry.path, ...found }
}

type Finding = Omit<SecretFinding, 'path'>
type Look = (pattern: RegExp) => Promise<boolean>

async function judge(entry: RootfsEntry, look: Look): Promise<Finding | undefined> {
  if (entry.type !== 'file' || entry.size === 0) return undefined
  return (await byPattern(entry, look)) ?? (await privateKey(entry, look))
}

async function byPattern({ path, size }: RootfsEntry, look: Look): Promise<Finding | undefined> {
  for (const { kind, path: pattern, why, content } of SECRET_PATTERNS) {
    if (!pattern.test(path)) continue
    if (content === undefined) return { kind, why }
    if (!NOBODYS.test(path) && size <= LARGEST_KEY * 16 && (await look(content))) return { kind, why }
  }
  return undefined
}

async function privateKey({ path, size, mode }: RootfsEntry, look: Look): Promise<Finding | undefined> {
  if (size > LARGEST_KEY || !KEY_PLACES.test(path) || NOBODYS.test(path)) return undefined
  const isPrivate = (mode & 0o077) === 0 && size <= LOOK
  if (!isPrivate && !KEY_NAMES.test(baseName(path))) return undefined
  return (await look(PRIVATE_KEY)) ? { kind: 'private key', why: 'is or holds a private key' } : undefined
}

/** As Latin-1: patterns are of ASCII, and a secret may be anything. */
async function beginning(rootfs: Rootfs, { path, size }: RootfsEntry): Promise<string> {
  const bytes = Buffer.alloc(Math.min(size, LOOK))
  for await (const { offset, data } of rootfs.stream(path)) {
    if (offset >= bytes.length) break
    bytes.set(data.subarray(0, bytes.length - offset), offset)
  }
  return bytes.toString('latin1')
}
