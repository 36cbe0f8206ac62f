import type { CacheItem } from '@c2m/core'
import { cacheFolder } from '@c2m/process'
import { BaseCommand } from '../../base-command.js'
import { formatBytes } from '../../report/reporters.js'

export default class Cache extends BaseCommand {
  static override summary = 'Show what the cache holds.'

  async run(): Promise<{ folder: string; items: readonly CacheItem[] }> {
    await this.parse(Cache)
    const { listCache } = await import('@c2m/core')
    const folder = cacheFolder()
    const items = await listCache(folder)
    this.log(folder)
    for (const { kind, count, bytes } of items)
      this.log(`  ${kind.padEnd(10)} ${String(count).padStart(6)}  ${formatBytes(bytes)}`)
    return { folder, items }
  }
}
