import type { DiskInspection, ImageInspection } from '@c2m/core'
import { usageError } from '@c2m/process'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { findPlugins } from '../host/plugins.js'
import { diskText, imageText } from '../report/inspection.js'
import { inspectPlugins, pluginsText, type PluginInspection } from '../report/plugins.js'

export default class Inspect extends BaseCommand {
  static override summary = 'Say what an image or a machine’s disk is, and what c2m would make of it.'
  static override description =
    'With --plugins: which plugins are loaded, from where, what each contributes, and what keeps others from being loaded.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> oci:./debian-12',
    '<%= config.bin %> <%= command.id %> myvm.vdi',
    '<%= config.bin %> <%= command.id %> --plugins',
  ]
  static override args = {
    target: Args.string({ description: 'image reference, disk image or block device' }),
  }
  static override flags = {
    platform: Flags.string({ description: 'os/architecture to take of a multi-platform image' }),
    plugins: Flags.boolean({ description: 'the plugins instead of an image or a disk', exclusive: ['platform'] }),
  }

  async run(): Promise<ImageInspection | DiskInspection | PluginInspection> {
    const { args, flags } = await this.parse(Inspect)
    const settings = await this.settings(flags)
    // oclif leaves a flag out that was not given
    const plugins = Boolean(flags.plugins)
    if (plugins !== (args.target === undefined)) throw whichOne(plugins)
    if (args.target === undefined) {
      const { PluginRegistry } = await import('@c2m/core')
      const registry = new PluginRegistry(await findPlugins(this.config, settings), settings.values.overrides)
      const found = inspectPlugins(registry)
      this.log(pluginsText(found))
      return found
    }
    const converter = await this.converter(settings, this.reporter(flags))
    const found = await converter.inspect(args.target, flags.platform)
    this.log(found.kind === 'disk' ? diskText(found) : imageText(found))
    return found
  }
}

function whichOne(plugins: boolean): Error {
  return plugins
    ? usageError('C2M_FLAG_CONFLICT', '--plugins is about no image or disk', 'leave one of both out')
    : usageError('C2M_USAGE', 'nothing to inspect was given', 'name an image or a disk, or give --plugins')
}
