import { BaseCommand } from '../../base-command.js'
import { inspectPlugins, loadedText, type PluginInspection } from '../../report/plugins.js'

export default class PluginsList extends BaseCommand {
  static override summary = 'List the loaded plugins, where each comes from and what it contributes.'

  async run(): Promise<PluginInspection> {
    const { flags } = await this.parse(PluginsList)
    const { plugins } = await this.converter(await this.settings(flags), this.reporter(flags))
    this.log(loadedText(plugins.loaded))
    return inspectPlugins(plugins)
  }
}
