import { mkdtemp, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Rootfs } from '@c2m/plugin-api'
import { silentReporter } from '@c2m/process'
import { checkSandbox } from '../namespace/check.js'
import { EPOCH, busybox, describeLayer, exec, miniTree, treeFrom } from '../testing/tree.js'
import { listCache, pruneCache } from './cache.js'
import { packageLayer, type PackageLayerOptions, type PackageLayerTask } from './package-layer.js'

const program = await busybox()
const verdict = await checkSandbox('userns')
const usable = verdict.ok && program !== undefined
if (!usable) console.warn('SKIPPED: tests of cached package layers need user namespaces and busybox-static')

describe.skipIf(!usable)('a package layer', () => {
  let folder = ''
  let cache = ''
  let base: Rootfs
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-package-layer-'))
    cache = join(folder, 'cache')
    base = await treeFrom(join(folder, 'base.tar'), miniTree(program!))
  })
  beforeEach(() => pruneCache(cache))
  afterAll(async () => {
    await pruneCache(cache)
    await base[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const make = (more: Partial<PackageLayerTask> = {}, options: Partial<PackageLayerOptions> = {}) =>
    packageLayer(
      {
        base,
        baseId: 'mini',
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        steps: [exec('busybox cat /proc/sys/kernel/random/uuid > /etc/new')],
        packageCaches: ['/var/cache/pkg'],
        cacheGroup: 'test',
        sourceDateEpoch: EPOCH,
        plugins: ['debian@1'],
        ...more,
      },
      { cache, mode: 'userns', env: {}, ...options },
    )
  const content = async (path: string) => (await describeLayer(path)).join()

  it('is made once', async () => {
    const first = await make()
    expect(first.cached).toBe(false)
    const again = await make()
    expect(again).toEqual({ path: first.path, cached: true })
    const record = JSON.parse(await readFile(first.path.replace(/tar$/, 'json'), 'utf8')) as unknown
    expect(record).toMatchObject({
      baseId: 'mini',
      titles: ['test step'],
      plugins: ['debian@1'],
      bytes: (await stat(first.path)).size,
    })
  })

  it('is made anew when asked, when old, when damaged, and for another plugin', async () => {
    const { path } = await make()
    const first = await content(path)
    expect((await make({}, { refresh: true })).cached).toBe(false)
    const second = await content(path)
    expect(second).not.toBe(first)

    const record = path.replace(/tar$/, 'json')
    const old = {
      ...(JSON.parse(await readFile(record, 'utf8')) as object),
      made: new Date(Date.now() - 8 * 86_400_000).toISOString(),
    }
    await writeFile(record, JSON.stringify(old))
    expect((await make({}, { maxAgeDays: 9 })).cached).toBe(true)
    expect((await make()).cached).toBe(false)

    await truncate(path, 512)
    expect((await make()).cached).toBe(false)

    const { atime, mtime } = await stat(path)
    const changed = await readFile(path)
    changed[600]! ^= 1
    await writeFile(path, changed)
    await utimes(path, atime, mtime)
    const said: string[] = []
    const reporter = { ...silentReporter, warn: (message: string) => void said.push(message) }
    expect((await make({}, { reporter })).cached).toBe(false)
    expect(said).toEqual(['the cached package layer is damaged; installing the packages again'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)

    await writeFile(record, '{')
    expect((await make()).cached).toBe(false)

    const other = await make({ plugins: ['debian@2'] })
    expect(other.cached).toBe(false)
    expect(other.path).not.toBe(path)
  })

  it('is made once by runs at the same time', async () => {
    const made = await Promise.all([make(), make(), make()])
    expect(made.map(({ cached }) => cached).sort()).toEqual([false, true, true])
    expect((await readdir(join(cache, 'packages'))).sort()).toHaveLength(2)
  })

  it('leaves nothing when it fails', async () => {
    await expect(make({ steps: [exec('exit 1')] })).rejects.toMatchObject({ code: 'C2M_SANDBOX_STEP_FAILED' })
    expect(await readdir(join(cache, 'packages'))).toEqual([])
  })

  it('counts in the cache, and goes with it', async () => {
    const { path } = await make()
    const kinds = Object.fromEntries((await listCache(cache)).map(({ kind, count, bytes }) => [kind, { count, bytes }]))
    expect(kinds).toMatchObject({ packages: { count: 1 }, bases: { count: 1 }, downloads: { count: 1 } })
    expect(kinds.bases?.bytes).toBeGreaterThan(program!.length)
    expect(await pruneCache(cache, { olderThanDays: 1 })).toBe(0)
    const long = new Date(Date.now() - 3 * 86_400_000)
    await utimes(path, long, long)
    expect(await pruneCache(cache, { olderThanDays: 1 })).toBeGreaterThan(0)
    expect(await pruneCache(cache)).toBeGreaterThan(program!.length)
    expect((await listCache(cache)).map(({ count, bytes }) => count + bytes)).toEqual([0, 0, 0, 0, 0, 0])
  })
})
