import type { ImageInspection } from '@c2m/core'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { formatBytes } from '../report/reporters.js'

export default class Inspect extends BaseCommand {
  static override summary =
    'Say what an image is: its distribution, size, layers, configuration, and what c2m would make of it.'
  static override examples = ['<%= config.bin %> <%= command.id %> oci:./debian-12']
  static override args = { image: Args.string({ required: true, description: 'image reference or path' }) }
  static override flags = {
    platform: Flags.string({ description: 'os/architecture to take of a multi-platform image' }),
  }

  async run(): Promise<ImageInspection> {
    const { args, flags } = await this.parse(Inspect)
    const reporter = this.reporter(flags)
    const converter = await this.converter(await this.settings(flags), reporter)
    const found = await converter.inspectImage(args.image, flags.platform)
    const { config } = found
    const rows: [string, string | undefined][] = [
      ['image', found.name],
      ['digest', found.digest],
      ['platform', found.platform],
      ['system', found.os ?? 'unknown (no os-release)'],
      [
        'plugin',
        found.distro === undefined ? `none: ${found.notSupported}` : `${found.distro.id} (${found.distro.plugin})`,
      ],
      ['content', `${found.entries} entries, ${formatBytes(found.bytes)}, ${found.layers.length} layers`],
      ['kernels', found.kernels.join(', ') || 'none (one will be installed)'],
      ['entrypoint', config.entrypoint.join(' ') || undefined],
      ['command', config.cmd.join(' ') || undefined],
      ['user', config.user],
      ['ports', config.exposedPorts.join(', ') || undefined],
    ]
    for (const [label, value] of rows) if (value) this.log(`${label.padEnd(11)} ${value}`)
    return found
  }
}
