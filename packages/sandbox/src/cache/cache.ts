import { randomBytes } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  C2mError,
  checkCacheFolder,
  fileError,
  findAbandoned,
  isC2mError,
  removeTree,
  ownMark,
  throwIfAborted,
} from '@c2m/process'
import { runAsOwner } from '../namespace/session.js'
import type { IdMapping } from '../namespace/id-mapping.js'
import { isLocked } from './lock.js'
import { filesBelow, type CachedFile } from './usage.js'

/** One kind of things in the cache. */
export interface CacheItem {
  /** 'blobs' as pulled, 'layers' unpacked, 'packages' layers, 'bases' of the sandbox, 'downloads' of packages, 'other'. */
  readonly kind: 'blobs' | 'layers' | 'packages' | 'bases' | 'downloads' | 'other'
  readonly count: number
  /** On disk. */
  readonly bytes: number
}

export interface PruneOptions {
  /** Only what was not used for so many days; default 0: everything that is not in use. */
  readonly olderThanDays?: number
  readonly signal?: AbortSignal
}

/** Something that is deleted as a whole. */
interface CacheThing extends CachedFile {
  readonly kind: CacheItem['kind']
  /** Of what the sandbox unpacked or downloaded: whose ids own it, the host's own when there is no mapping. */
  readonly owner?: { readonly mapping: IdMapping | undefined }
  readonly busy: boolean
}

/** What c2m makes in its cache's folder. */
const OWN = /^(?:blobs|layers|packages|qemu|records|sandbox|temporary|changes-[0-9TZ]+-\d+\.tar)$/
const KINDS = ['blobs', 'layers', 'packages', 'bases', 'downloads', 'other'] as const
const DAY = 24 * 60 * 60 * 1000

/** What the cache holds, every kind once. @throws C2M_CACHE_UNSAFE */
export async function listCache(cache: string): Promise<readonly CacheItem[]> {
  await checkCacheFolder(cache)
  const usage = new Map(KINDS.map((kind) => [kind, { count: 0, bytes: 0 }]))
  for await (const { kind, bytes, path } of thingsOf(cache)) {
    const item = usage.get(kind)!
    item.bytes += bytes
    // a package layer's record is no second layer
    if (!(kind === 'packages' && path.endsWith('.json'))) item.count++
  }
  return [...usage].map(([kind, item]) => ({ kind, ...item }))
}

/**
 * Deletes what the cache holds, except what a running c2m uses.
 * @returns the bytes that it freed
 * @throws C2M_CACHE_UNSAFE; C2M_CACHE_FOREIGN when the folder holds files that are not c2m's, before anything is deleted; C2M_FILE_…;
 *   C2M_INTERRUPTED; C2M_SANDBOX_FAILED when files of subordinate ids cannot be deleted
 */
export async function pruneCache(cache: string, options: PruneOptions = {}): Promise<number> {
  const notAfter = Date.now() - (options.olderThanDays ?? 0) * DAY
  await checkCacheFolder(cache)
  await refuseForeign(cache)
  let freed = 0
  for await (const thing of thingsOf(cache)) {
    throwIfAborted(options.signal)
    if (thing.busy || thing.used > notAfter) continue
    if (thing.owner === undefined) await remove(thing.path)
    else await removeOwned(thing.path, thing.owner.mapping, options.signal)
    freed += thing.bytes
  }
  for (const { folder, mapping } of await ownedFolders(cache)) {
    // empty folders only: a user could not delete them by hand
    const script =
      'cd "$1" && rmdir bases downloads/* downloads work 2> /dev/null; cd / && rmdir "$1" 2> /dev/null || :'
    await runAsOwner(mapping, ['sh', '-c', script, 'c2m', folder], options.signal)
  }
  return freed
}

/** A folder that was taken for a cache by mistake may be somebody's home. */
async function refuseForeign(cache: string): Promise<void> {
  for (const name of await names(cache)) {
    if (OWN.test(name)) continue
    const path = join(cache, name)
    if ((await filesBelow(path).next()).done === true && (await isFolder(path))) continue
    throw new C2mError('C2M_CACHE_FOREIGN', `${cache} is no folder of c2m's alone: ${name} is not its own`, {
      hint: 'nothing was deleted; name the cache in C2M_CACHE_DIR, or move the other files elsewhere',
    })
  }
}

async function remove(path: string): Promise<void> {
  try {
    await removeTree(path)
  } catch (error) {
    throw fileError(error, path, 'delete')
  }
}

/** Renamed first, so that an interruption leaves no half of a base under its name; the next run sweeps the rest. */
async function removeOwned(
  path: string,
  mapping: IdMapping | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const doomed = `unpack.${await ownMark()}.${randomBytes(4).toString('hex')}`
  const script = 'mv -T -- "$1" "$2" && rm -rf --one-file-system -- "$2"'
  await runAsOwner(mapping, ['sh', '-c', script, 'c2m', path, join(dirname(path), doomed)], signal)
}

async function* thingsOf(cache: string): AsyncGenerator<CacheThing> {
  const running = await runningFolders(cache)
  for (const name of await names(cache)) {
    if (name === 'sandbox' || !OWN.test(name)) continue
    const kind = KINDS.find((one) => one === name) ?? 'other'
    for await (const file of filesBelow(join(cache, name))) {
      yield { ...file, kind, busy: running.some((folder) => file.path.startsWith(`${folder}/`)) }
    }
    const single = await lstat(join(cache, name)).catch(() => undefined)
    if (single?.isFile())
      yield { path: join(cache, name), bytes: single.blocks * 512, used: single.mtimeMs, kind, busy: false }
  }
  for (const { folder, mapping } of await ownedFolders(cache)) yield* sandboxThings(dirname(folder), folder, mapping)
}

/** The folders that belong to containers' ids. */
async function ownedFolders(cache: string): Promise<{ folder: string; mapping: IdMapping | undefined }[]> {
  const found: { folder: string; mapping: IdMapping | undefined }[] = []
  for (const name of await names(join(cache, 'sandbox'))) {
    const match = /^(\d+)-(\d+)$/.exec(name)
    if (match === null || !(await isFolder(join(cache, 'sandbox', name)))) continue
    const mapping = { uid: Number(match[1]), gid: Number(match[2]) }
    found.push({ folder: join(cache, 'sandbox', name), mapping: mapping.uid === 0 ? undefined : mapping })
  }
  return found
}

async function* sandboxThings(
  root: string,
  folder: string,
  mapping: IdMapping | undefined,
): AsyncGenerator<CacheThing> {
  for (const [group, kind] of [
    ['bases', 'bases'],
    ['downloads', 'downloads'],
    ['work', 'other'],
  ] as const) {
    const paths = (await names(join(folder, group))).map((name) => join(folder, group, name))
    const sizes = await sizesOf(paths, mapping)
    for (const path of paths) {
      const name = basename(path)
      const used = await lastUse(root, path, kind)
      const busy = kind === 'downloads' ? await isLocked(join(root, 'locks', name)) : await isInUse(root, path)
      yield { path, bytes: sizes.get(path) ?? 0, used, kind, busy, owner: { mapping } }
    }
  }
}

/** A base's own times are those of the image. */
async function lastUse(root: string, path: string, kind: CacheItem['kind']): Promise<number> {
  const marker = kind === 'bases' ? join(root, 'used', basename(path)) : path
  return (await lstat(marker).catch(() => undefined))?.mtimeMs ?? 0
}

async function isInUse(root: string, path: string): Promise<boolean> {
  const name = basename(path)
  // a folder that is being made or worked in names its process itself
  const temporary = /^(unpack|work)\.\d+\.\d+-/.exec(name)
  if (temporary !== null) return !(await findAbandoned(dirname(path), temporary[1] ?? '')).includes(path)
  const folder = join(root, 'in-use')
  const marks = (await names(folder)).filter((mark) => mark.startsWith(`${name}.`))
  const abandoned = await findAbandoned(folder, name)
  for (const path of abandoned) await removeTree(path)
  return marks.length > abandoned.length
}

/** Bytes on disk, counted by the ids that may look. */
async function sizesOf(paths: readonly string[], mapping: IdMapping | undefined): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  if (paths.length === 0) return sizes
  try {
    const { output } = await runAsOwner(mapping, ['du', '--summarize', '--block-size=1', '--null', '--', ...paths])
    for (const line of output.split('\0')) {
      const [bytes = '', path = ''] = line.split('\t')
      if (path !== '') sizes.set(path, Number(bytes))
    }
  } catch (error) {
    // ids that are no longer this user's: listed, with a size that is not known
    if (!isC2mError(error)) throw error
  }
  return sizes
}

/** Temporary folders, anywhere at the first two levels, whose process is alive. */
async function runningFolders(cache: string): Promise<string[]> {
  const folders: string[] = []
  for (const parent of [cache, ...(await names(cache)).map((name) => join(cache, name))]) {
    const temporary = (await names(parent)).filter((name) => /^[^.]+\.\d+\.\d+-[0-9a-f]+\./.test(name))
    const prefixes = new Set(temporary.map((name) => name.slice(0, name.indexOf('.'))))
    const abandoned = new Set((await Promise.all([...prefixes].map((prefix) => findAbandoned(parent, prefix)))).flat())
    folders.push(...temporary.map((name) => join(parent, name)).filter((path) => !abandoned.has(path)))
  }
  return folders
}

/** No link to one. */
async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
