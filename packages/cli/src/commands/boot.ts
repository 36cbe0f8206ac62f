import type { DiskFormat, Firmware } from '@c2m/plugin-api'
import { fileError, usageError } from '@c2m/process'
import { Args, Flags } from '@oclif/core'
import { access } from 'node:fs/promises'
import { BaseCommand } from '../base-command.js'

const FIRMWARE: readonly Firmware[] = ['bios', 'uefi']

export default class Boot extends BaseCommand {
  static override summary = 'Run a disk in QEMU, its serial console in this terminal.'
  static override description = 'Ctrl-a x ends the machine. With --snapshot the disk stays as it is.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> web.qcow2',
    '<%= config.bin %> <%= command.id %> web.qcow2 --firmware uefi --snapshot',
  ]
  static override args = { disk: Args.string({ required: true, description: 'disk file' }) }
  static override flags = {
    firmware: Flags.option({ options: FIRMWARE })({ description: 'what starts the machine', default: 'bios' }),
    memory: Flags.integer({ description: 'MiB', default: 1024, min: 64 }),
    cpus: Flags.integer({ description: 'processors', default: 2, min: 1 }),
    snapshot: Flags.boolean({ description: 'forget what the machine writes' }),
    forward: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'HOSTPORT:GUESTPORT, reachable on 127.0.0.1',
    }),
  }

  async run(): Promise<{ exitCode: number }> {
    const { args, flags } = await this.parse(Boot)
    await access(args.disk).catch((error: unknown) => {
      throw fileError(error, args.disk, 'read the disk')
    })
    const { sniffDiskFormat } = await import('@c2m/core')
    const { bootInteractive } = await import('@c2m/qemu')
    const format: DiskFormat = (await sniffDiskFormat(args.disk)) ?? 'raw'
    const exitCode = await bootInteractive({
      disk: args.disk,
      format,
      firmware: flags.firmware,
      memoryMiB: flags.memory,
      cpus: flags.cpus,
      snapshot: flags.snapshot,
      forwards: (flags.forward ?? []).map(parseForward),
      reporter: this.reporter(flags),
      signal: this.signal,
    })
    process.exitCode = exitCode
    return { exitCode }
  }
}

function parseForward(text: string): { hostPort: number; guestPort: number } {
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text)
  const [hostPort, guestPort] = [Number(match?.[1]), Number(match?.[2])]
  if (hostPort >= 1 && hostPort <= 65535 && guestPort >= 1 && guestPort <= 65535) return { hostPort, guestPort }
  throw usageError('C2M_FORWARD', `'${text}' is no port forwarding`, 'write HOSTPORT:GUESTPORT, e.g. 2222:22')
}
