import { cacheFolder } from '@c2m/process'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { formatBytes } from '../../report/reporters.js'

export default class CachePrune extends BaseCommand {
  static override summary = 'Delete what the cache holds; everything in it can be made or fetched again.'
  static override flags = {
    'older-than': Flags.integer({ description: 'only what was not used for this many days', default: 0, min: 0 }),
  }

  async run(): Promise<{ folder: string; freedBytes: number }> {
    const { flags } = await this.parse(CachePrune)
    const { pruneCache } = await import('@c2m/core')
    const folder = cacheFolder()
    const freedBytes = await pruneCache(folder, { olderThanDays: flags['older-than'], signal: this.signal })
    this.log(`freed ${formatBytes(freedBytes)} in ${folder}`)
    return { folder, freedBytes }
  }
}
