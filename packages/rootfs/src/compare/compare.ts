import { createHash } from 'node:crypto'
import type { Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { comparePaths } from '../name/order.js'

export type Aspect =
  | 'existence'
  | 'type'
  | 'mode'
  | 'owner'
  | 'mtime'
  | 'size'
  | 'link target'
  | 'device'
  | 'hard links'
  | 'xattrs'
  | 'content'

export interface Difference {
  readonly path: string
  readonly aspect: Aspect
  /** What each tree has, for people to read. */
  readonly a: string
  readonly b: string
}

export interface CompareOptions {
  /** Aspects that do not matter, of all paths or of some. */
  readonly ignore?: (path: string, aspect: Aspect) => boolean
  /** Compare times to the second only. */
  readonly wholeSeconds?: boolean
  /** Stop after so many differences; default 1000. */
  readonly limit?: number
}

/** Everything in which two trees differ, in the order of a walk; holes count as zeros. Both are read completely. */
export async function compareRootfs(
  a: Rootfs,
  b: Rootfs,
  options: CompareOptions = {},
): Promise<readonly Difference[]> {
  const comparison = new Comparison(a, b, options)
  const limit = options.limit ?? 1000
  const found: Difference[] = []
  for await (const [entryA, entryB] of inStep(a.walk(), b.walk())) {
    for (const difference of await comparison.compare(entryA, entryB)) found.push(difference)
    if (found.length >= limit) return found.slice(0, limit)
  }
  return found
}

type Pair = readonly [RootfsEntry | undefined, RootfsEntry | undefined]

/** Joins two walks by path. */
async function* inStep(a: AsyncIterable<RootfsEntry>, b: AsyncIterable<RootfsEntry>): AsyncGenerator<Pair> {
  const walkA = a[Symbol.asyncIterator]()
  const walkB = b[Symbol.asyncIterator]()
  const next = async (walk: AsyncIterator<RootfsEntry>): Promise<RootfsEntry | undefined> => {
    const step = await walk.next()
    return step.done === true ? undefined : step.value
  }
  let entryA = await next(walkA)
  let entryB = await next(walkB)
  while (entryA !== undefined || entryB !== undefined) {
    const order =
      entryA === undefined ? 1 : entryB === undefined ? -1 : Math.sign(comparePaths(entryA.path, entryB.path))
    yield [order <= 0 ? entryA : undefined, order >= 0 ? entryB : undefined]
    if (order <= 0) entryA = await next(walkA)
    if (order >= 0) entryB = await next(walkB)
  }
}

class Comparison {
  readonly #a: Rootfs
  readonly #b: Rootfs
  readonly #options: CompareOptions
  /** The first name of each file, by inode number. */
  readonly #firstA = new Map<number, string>()
  readonly #firstB = new Map<number, string>()

  constructor(a: Rootfs, b: Rootfs, options: CompareOptions) {
    this.#a = a
    this.#b = b
    this.#options = options
  }

  async compare(a: RootfsEntry | undefined, b: RootfsEntry | undefined): Promise<Difference[]> {
    const path = (a ?? b)!.path
    const firstA = a === undefined ? undefined : firstName(a, this.#firstA)
    const firstB = b === undefined ? undefined : firstName(b, this.#firstB)
    const found: Difference[] = []
    const check = (aspect: Aspect, ofA: string, ofB: string): void => {
      if (ofA !== ofB && this.#options.ignore?.(path, aspect) !== true) found.push({ path, aspect, a: ofA, b: ofB })
    }
    if (a === undefined || b === undefined) {
      check('existence', a === undefined ? 'absent' : 'present', b === undefined ? 'absent' : 'present')
      return found
    }
    check('type', a.type, b.type)
    check('mode', a.mode.toString(8), b.mode.toString(8))
    check('owner', `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`)
    check('mtime', this.#time(a), this.#time(b))
    check('link target', a.linkTarget ?? '', b.linkTarget ?? '')
    check('device', device(a), device(b))
    check('xattrs', xattrs(a), xattrs(b))
    if (a.type !== 'directory' && b.type !== 'directory') {
      check('hard links', `${a.nlink} from ${firstA}`, `${b.nlink} from ${firstB}`)
    }
    if (a.type !== 'file' || b.type !== 'file') return found
    check('size', String(a.size), String(b.size))
    const isKnown = firstA !== path && firstA === firstB
    if (a.size !== b.size || isKnown || this.#options.ignore?.(path, 'content') === true) return found
    check('content', await contentHash(this.#a, a), await contentHash(this.#b, b))
    return found
  }

  #time(entry: RootfsEntry): string {
    const { seconds, nanoseconds } = entry.mtime
    return this.#options.wholeSeconds === true ? String(seconds) : `${seconds} s ${nanoseconds} ns`
  }
}

function firstName(entry: RootfsEntry, names: Map<number, string>): string {
  const first = names.get(entry.inode)
  if (first === undefined) names.set(entry.inode, entry.path)
  return first ?? entry.path
}

function device(entry: RootfsEntry): string {
  return entry.device === undefined ? '' : `${entry.device.major}:${entry.device.minor}`
}

function xattrs(entry: RootfsEntry): string {
  const pairs = [...entry.xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`)
  return pairs.sort().join(' ')
}

const ZEROS = new Uint8Array(64 * 1024)

async function contentHash(rootfs: Rootfs, entry: RootfsEntry): Promise<string> {
  const hash = createHash('sha256')
  let position = 0
  const fillTo = (offset: number): void => {
    for (; position < offset; position = Math.min(position + ZEROS.length, offset)) {
      hash.update(ZEROS.subarray(0, offset - position))
    }
  }
  for await (const { offset, data } of rootfs.stream(entry.path)) {
    fillTo(offset)
    hash.update(data)
    position = offset + data.length
  }
  fillTo(entry.size)
  return `sha256:${hash.digest('hex')}`
}

/** How much a tree holds: its entries, the root included, and the bytes of its files, each counted once. */
export async function rootfsSummary(rootfs: Rootfs): Promise<{ entries: number; bytes: number }> {
  const counted = new Set<number>()
  let entries = 0
  let bytes = 0
  for await (const entry of rootfs.walk()) {
    entries++
    if (counted.has(entry.inode)) continue
    if (entry.nlink > 1 && entry.type !== 'directory') counted.add(entry.inode)
    bytes += entry.size
  }
  return { entries, bytes }
}
