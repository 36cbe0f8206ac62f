import type { BrokenPlugin, LoadedPlugin } from '@c2m/core'
import { BaseCommand } from '../../base-command.js'

export default class PluginsList extends BaseCommand {
  static override summary = 'List the loaded plugins, where each comes from and what it contributes.'

  async run(): Promise<{ plugins: readonly LoadedPlugin[]; broken: readonly BrokenPlugin[] }> {
    const { flags } = await this.parse(PluginsList)
    const { plugins } = await this.converter(await this.settings(flags), this.reporter(flags))
    for (const { packageName, packageVersion, from, contributes } of plugins.loaded) {
      this.log(`${packageName} ${packageVersion} (${from})`)
      for (const { kind, id, summary } of contributes) this.log(`  ${kind} ${id}: ${summary}`)
    }
    return { plugins: plugins.loaded, broken: plugins.broken }
  }
}
