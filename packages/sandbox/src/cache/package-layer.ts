import { createHash } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CacheRecords,
  fileDigest,
  fileError,
  isIntact,
  makeCacheSubfolder,
  makeSweptFolder,
  recordIntact,
  throwIfAborted,
} from '@c2m/process'
import { runSandbox, type SandboxOptions, type SandboxTask } from '../sandbox.js'
import { canonicalJson } from './canonical-json.js'
import { takeLock } from './lock.js'

export interface PackageLayerTask extends SandboxTask {
  /** Names and versions of the plugins whose steps these are: a new version may mean other things by the same step. */
  readonly plugins: readonly string[]
}

export interface PackageLayerOptions extends SandboxOptions {
  /** Makes the layer anew even when a cached one is there. */
  readonly refresh?: boolean
  /** Days for which a cached layer counts as current, since mirrors move; default 7. */
  readonly maxAgeDays?: number
}

export interface PackageLayer {
  /** Uncompressed tar with OCI whiteouts; belongs to the cache. */
  readonly path: string
  readonly cached: boolean
}

/** What stands beside a layer, as JSON. */
interface LayerRecord {
  readonly key: string
  /** ISO 8601. */
  readonly made: string
  readonly bytes: number
  /** Of the layer, 'sha256:HEX'. */
  readonly digest: string
  readonly seconds: number
  readonly baseId: string
  readonly architecture: string
  readonly titles: readonly string[]
  readonly plugins: readonly string[]
}

/** Raised whenever the same task would give another layer. */
const FORMAT = 1
const DAY = 24 * 60 * 60 * 1000

/**
 * What the steps change in the image, from the cache or made now:
 *
 *     <cache>/packages/<key>.tar       the layer
 *     <cache>/packages/<key>.json      when and from what it was made
 *
 * @throws what runSandbox throws
 */
export async function packageLayer(task: PackageLayerTask, options: PackageLayerOptions): Promise<PackageLayer> {
  const folder = join(options.cache, 'packages')
  const key = layerKey(task)
  const path = join(folder, `${key}.tar`)
  const begin = Date.now()
  const maxAge = (options.maxAgeDays ?? 7) * DAY
  const isCurrent = (notBefore: number) => checkLayer(options, key, notBefore)
  try {
    await makeCacheSubfolder(options.cache, 'packages')
  } catch (error) {
    throw fileError(error, folder, 'make')
  }
  if (options.refresh !== true && (await isCurrent(begin - maxAge))) return { path, cached: true }
  await using _lock = await takeLock(join(options.cache, 'sandbox', 'locks', key), {
    signal: options.signal,
    onWait: (pid) => options.reporter?.info(`waiting for c2m ${pid}, which makes the same package layer`),
  })
  // made by another run while this one waited
  if (await isCurrent(options.refresh === true ? begin : begin - maxAge)) return { path, cached: true }
  await using making = await makeSweptFolder(folder, 'making')
  const made = join(making.path, 'layer.tar')
  await runSandbox(task, made, options)
  const now = new Date()
  const record: LayerRecord = {
    key,
    made: now.toISOString(),
    bytes: (await stat(made)).size,
    digest: await fileDigest(made, 'sha256', options.signal),
    seconds: (now.getTime() - begin) / 1000,
    baseId: task.baseId,
    architecture: task.architecture,
    titles: task.steps.map(({ title }) => title),
    plugins: task.plugins,
  }
  await writeFile(join(making.path, 'layer.json'), `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
  await rename(made, path)
  await rename(join(making.path, 'layer.json'), join(folder, `${key}.json`))
  await recordIntact(path, record.digest, new CacheRecords(options.cache))
  return { path, cached: false }
}

/** Hex sha256 of everything that the layer depends on. Where it is made, and by which sandbox, is not among it. */
export function layerKey(task: Omit<PackageLayerTask, 'base'>): string {
  const { baseId, architecture, steps, packageCaches, sourceDateEpoch, plugins } = task
  const given = {
    format: FORMAT,
    baseId,
    architecture,
    steps,
    packageCaches,
    sourceDateEpoch,
    plugins: [...plugins].sort(),
  }
  return createHash('sha256').update(canonicalJson(given)).digest('hex')
}

/** A record without its layer, or a layer of another size, is what a crash left. One that a disk has damaged is told of. */
async function checkLayer(
  { cache, reporter, signal }: PackageLayerOptions,
  key: string,
  notBefore: number,
): Promise<boolean> {
  const path = join(cache, 'packages', `${key}.tar`)
  const file = join(cache, 'packages', `${key}.json`)
  const record = await readRecord(file)
  const size = await stat(path).then(
    (layer) => layer.size,
    () => undefined,
  )
  const made = Date.parse(record.made ?? '')
  if (record.key !== key || record.bytes !== size || !(made >= notBefore) || made > Date.now() + DAY) return false
  if (typeof record.digest !== 'string') return false
  if (!(await isIntact(path, record.digest, new CacheRecords(cache), signal))) {
    throwIfAborted(signal)
    reporter?.warn('the cached package layer is damaged; installing the packages again')
    await rm(path, { force: true })
    return false
  }
  const now = new Date()
  await utimes(file, now, now).catch(() => undefined) // when it was used last, for pruning
  return true
}

async function readRecord(file: string): Promise<Partial<LayerRecord>> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as Partial<LayerRecord> | null) ?? {}
  } catch {
    return {}
  }
}
