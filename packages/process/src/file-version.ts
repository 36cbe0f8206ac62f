import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCacheSubfolder } from './cache-folder.js'

/** Time in which a file may change twice without its times telling, on the coarsest of file systems. */
const TICK_MS = 2000

/** random(4): a UUID made at each boot; undefined where there is none. */
export async function bootId(): Promise<string | undefined> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '')
  return text.trim() || undefined
}

/**
 * Changes whenever the file's content does, and with each boot, so that what a disk has lost is noticed some time. The time
 * of the last change of status (inode(7)) cannot be set by a program. Undefined when it cannot be told.
 */
export async function fileVersion(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  const boot = await bootId()
  if (found?.isFile() !== true || boot === undefined) return undefined
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  return [boot, dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

/** The same of a file that others write; undefined as long as its next change may not show. */
export async function settledVersion(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || Math.abs(Date.now() - found.ctimeMs) < TICK_MS) return undefined
  return fileVersion(path)
}

/** What was found out at some cost, in the cache: small files `records/<sha256 of the question>`. */
export class CacheRecords {
  constructor(private readonly cache: string) {}

  async get(question: string): Promise<string | undefined> {
    try {
      const record = JSON.parse(await readFile(this.#path(question), 'utf8')) as {
        question?: unknown
        answer?: unknown
      }
      return record.question === question && typeof record.answer === 'string' ? record.answer : undefined
    } catch {
      return undefined // none, or half of one
    }
  }

  /** One that cannot be written only costs time. */
  async set(question: string, answer: string): Promise<void> {
    try {
      await makeCacheSubfolder(this.cache, 'records')
      await writeFile(this.#path(question), JSON.stringify({ question, answer }), { mode: 0o600 })
    } catch {
      return
    }
  }

  #path(question: string): string {
    return join(this.cache, 'records', createHash('sha256').update(question).digest('hex'))
  }
}

/**
 * Whether a file of the cache has the content that its digest ('sha256:HEX', 'sha512:HEX') says. It is read once after each
 * boot, and when it was changed.
 */
export async function isIntact(
  path: string,
  digest: string,
  records: CacheRecords,
  signal?: AbortSignal,
): Promise<boolean> {
  const version = await fileVersion(path)
  if (version !== undefined && (await records.get(intact(path, digest))) === version) return true
  const found = await fileDigest(path, digest.slice(0, digest.indexOf(':')), signal).catch((error: unknown) => {
    if (signal?.aborted === true) throw error
    return undefined // a file that cannot be read is not intact
  })
  if (found !== digest) return false
  if (version !== undefined) await records.set(intact(path, digest), version)
  return true
}

/** To be called when this run has made the file, and knows its digest. */
export async function recordIntact(path: string, digest: string, records: CacheRecords): Promise<void> {
  const version = await fileVersion(path)
  if (version !== undefined) await records.set(intact(path, digest), version)
}

function intact(path: string, digest: string): string {
  return `the version of ${path} that is ${digest}`
}

/** @returns 'ALGORITHM:HEX' */
export async function fileDigest(path: string, algorithm = 'sha256', signal?: AbortSignal): Promise<string> {
  const hash = createHash(algorithm)
  const stream = createReadStream(path, { highWaterMark: 512 * 1024, signal }) as AsyncIterable<Uint8Array>
  for await (const chunk of stream) hash.update(chunk)
  return `${algorithm}:${hash.digest('hex')}`
}
