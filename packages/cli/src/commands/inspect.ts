import type { DiskInspection, ImageInspection } from '@c2m/core'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { diskText, imageText } from '../report/inspection.js'

export default class Inspect extends BaseCommand {
  static override summary = 'Say what an image or a machine’s disk is, and what c2m would make of it.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> oci:./debian-12',
    '<%= config.bin %> <%= command.id %> myvm.vdi',
  ]
  static override args = {
    target: Args.string({ required: true, description: 'image reference, disk image or block device' }),
  }
  static override flags = {
    platform: Flags.string({ description: 'os/architecture to take of a multi-platform image' }),
  }

  async run(): Promise<ImageInspection | DiskInspection> {
    const { args, flags } = await this.parse(Inspect)
    const reporter = this.reporter(flags)
    const converter = await this.converter(await this.settings(flags), reporter)
    const found = await converter.inspect(args.target, flags.platform)
    this.log(found.kind === 'disk' ? diskText(found) : imageText(found))
    return found
  }
}
