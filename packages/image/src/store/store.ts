import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import {
  C2mError,
  CacheRecords,
  errno,
  fileError,
  isC2mError,
  isIntact,
  makeCacheFolder,
  makeCacheSubfolder,
  recordIntact,
  type Reporter,
  type TemporaryFolder,
} from '@c2m/process'
import { parseDigest, verified, verifyBytes, type Expected } from '../manifest/digest.js'

/**
 * The part of the cache that holds images; safe for several runs at once, since every file appears by one rename of
 * complete, verified, flushed content:
 *
 *     <cache>/blobs/sha256/<hex>          manifests, configurations and compressed layers as registries gave them
 *     <cache>/layers/sha256/<hex>.tar     uncompressed layers, named by their diff_id
 *     <cache>/records/<hex>               which bytes are which layer, and which files were read and found to be whole
 *     <cache>/temporary/run.<pid>.…/      what is being written now; swept when its process is gone
 */
export interface ImageStore extends AsyncDisposable {
  readonly cache: string
  /** A folder on the cache's file system that goes when the store is closed. */
  readonly temporary: string
  readonly records: CacheRecords
  blobPath(digest: string): string
  layerPath(diffId: string): string
}

/** Opens the store and sweeps what killed runs left. */
export async function openStore(cache: string): Promise<ImageStore> {
  let folder: TemporaryFolder
  try {
    folder = await makeCacheFolder(cache)
  } catch (error) {
    throw cacheError(error, cache)
  }
  const place = (group: string, digest: string, ending: string) => {
    const { algorithm, hex } = parseDigest(digest, 'the digest')
    return join(cache, group, algorithm, hex + ending)
  }
  return {
    cache,
    temporary: folder.path,
    records: new CacheRecords(cache),
    blobPath: (digest) => place('blobs', digest, ''),
    layerPath: (diffId) => place('layers', diffId, '.tar'),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

export function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** A small blob from the cache; one that is damaged is taken as absent. */
export async function readCachedBlob(store: ImageStore, expected: Expected): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(store.blobPath(expected.digest))
    verifyBytes(bytes, expected, 'the cache')
    return bytes
  } catch (error) {
    if (errno(error) === 'ENOENT' || (isC2mError(error) && error.code === 'C2M_IMAGE_DIGEST_MISMATCH')) return undefined
    throw cacheError(error, store.cache)
  }
}

/** Keeps a small blob that was verified. */
export async function keepBlob(store: ImageStore, digest: string, bytes: Uint8Array): Promise<void> {
  await writeAtomically(store, store.blobPath(digest), async (file) => {
    await file.writeFile(bytes)
  })
}

/**
 * A large blob: from the cache, else from `fetch`, keeping it in the cache while it is read. The reader must read to
 * the end: only then it is verified and kept.
 */
export async function* cachedBlob(
  store: ImageStore,
  expected: Expected & { readonly size: number },
  fetch: () => AsyncIterable<Uint8Array>,
  { origin, reporter, signal }: { origin: string; reporter: Reporter; signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const path = store.blobPath(expected.digest)
  if (await isFile(path)) {
    if (await isIntact(path, expected.digest, store.records, signal)) {
      yield* createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Uint8Array>
      return
    }
    reporter.warn(`the cached blob ${expected.digest} is damaged; fetching it again`)
  }
  const writer = await createTemporary(store)
  try {
    for await (const chunk of verified(fetch(), expected, origin)) {
      const writing = writer.write(chunk)
      writing.catch(() => undefined) // awaited below, after the reader had the chunk
      yield chunk
      await writing
    }
    await writer.commit(path)
    await recordIntact(path, expected.digest, store.records)
  } finally {
    await writer.discard()
  }
}

/** A file in the making, in the temporary folder. Errors name the cache and say what to do. */
export interface TemporaryWriter {
  readonly path: string
  write(data: Uint8Array): Promise<void>
  /** Flushes it and gives it its name. */
  commit(path: string): Promise<void>
  /** Flushes nothing and keeps it under its temporary name until the store is closed. */
  close(): Promise<void>
  /** Removes it unless it was committed or closed. */
  discard(): Promise<void>
}

export async function createTemporary(store: ImageStore): Promise<TemporaryWriter> {
  const path = join(store.temporary, randomBytes(8).toString('hex'))
  const guard = <T>(action: Promise<T>) =>
    action.catch((error: unknown) => {
      throw cacheError(error, store.cache)
    })
  const file = await guard(open(path, 'wx', 0o600))
  let state: 'open' | 'kept' | 'gone' = 'open'
  return {
    path,
    write: (data) => guard(writeAll(file, data)),
    commit: (final) =>
      guard(
        (async () => {
          await file.sync()
          await file.close()
          await makePlace(store, final)
          await rename(path, final)
          state = 'kept'
        })(),
      ),
    close: () =>
      guard(
        (async () => {
          await file.close()
          state = 'kept'
        })(),
      ),
    discard: async () => {
      if (state !== 'open') return
      state = 'gone'
      await file.close().catch(() => undefined)
      await rm(path, { force: true })
    },
  }
}

async function writeAtomically(
  store: ImageStore,
  path: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(store.temporary, randomBytes(8).toString('hex'))
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await fill(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await makePlace(store, path)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw cacheError(error, store.cache)
  }
}

/** The folder of a blob or layer. */
async function makePlace({ cache }: ImageStore, path: string): Promise<void> {
  await makeCacheSubfolder(cache, ...relative(cache, dirname(path)).split(sep))
}

async function writeAll(file: FileHandle, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.length;) done += (await file.write(data, done, data.length - done)).bytesWritten
}

/**
 * Copies a stream of unknown digest into the temporary folder.
 * @returns its path, size and sha256 digest
 */
export async function spool(
  store: ImageStore,
  source: AsyncIterable<Uint8Array>,
  onChunk: (size: number) => void = () => undefined,
): Promise<{ path: string; size: number; digest: string }> {
  const writer = await createTemporary(store)
  try {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of source) {
      size += chunk.length
      onChunk(chunk.length)
      const writing = writer.write(chunk)
      hash.update(chunk)
      await writing
    }
    await writer.close()
    return { path: writer.path, size, digest: `sha256:${hash.digest('hex')}` }
  } finally {
    await writer.discard()
  }
}

/** @throws C2M_CACHE_FULL when fewer than `bytes` are free, before anything is written */
export async function requireSpace(store: ImageStore, bytes: number): Promise<void> {
  const found = await statfs(store.cache).catch(() => undefined)
  if (found === undefined) return // the writing will tell
  const free = found.bavail * found.bsize
  if (free < bytes)
    throw cacheFull(store.cache, `has ${free} bytes free, and the image's layers need at least ${bytes}`)
}

/** Says for a system error on the cache which folder it is and how to choose another. */
function cacheError(error: unknown, cache: string): unknown {
  const code = errno(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return cacheFull(cache, 'is full', error)
  const named = fileError(error, cache, 'write to the cache')
  if (!isC2mError(named) || named === error) return named
  return new C2mError(named.code, named.message, {
    hint: `${named.hint ?? ''}; C2M_CACHE_DIR names another folder`,
    cause: error,
  })
}

function cacheFull(cache: string, what: string, cause?: unknown): C2mError {
  return new C2mError('C2M_CACHE_FULL', `the cache ${cache} ${what}`, {
    hint: 'free some space there, prune it, or name another folder with C2M_CACHE_DIR',
    cause,
  })
}
