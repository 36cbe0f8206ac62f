import type { ShellResult } from '@c2m/core'
import { usageError } from '@c2m/process'
import { Args, Flags } from '@oclif/core'
import { isatty } from 'node:tty'
import { BaseCommand } from '../base-command.js'
import { networkFlag } from '../flags/sandbox.js'
import { parseEnvironment, parseLimits, parseVolume } from '../flags/shell.js'
import { committedText } from '../report/shell.js'

const list = { multiple: true, multipleNonGreedy: true } as const

export default class Shell extends BaseCommand {
  static override summary = 'Run a command, or a shell, in an image’s tree, and keep what it changed when asked.'
  static override description =
    'The command runs in namespaces of its own over the image, which stays as it is, as ids that are nobody’s on this host. It is run as given, without the image’s entrypoint, with the image’s user, environment and working directory; without a command it is the image’s own when that is a shell, else /bin/sh. Its exit code is that of c2m; 128 and the signal’s number when a signal ended it. With --commit the changes become a new image: unless the command failed, or, when a shell was typed in, a signal ended it. Files of volumes belong to nobody in there, and everybody’s permissions count.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> alpine:3.19',
    "<%= config.bin %> <%= command.id %> alpine:3.19 -v ./data:/data -- sh -c 'apk add jq && jq . /data/x.json'",
    '<%= config.bin %> <%= command.id %> myvm.docker.tar --squash --commit docker-archive:small.tar -- rm -rf /usr/share/doc',
  ]
  // -v is for volumes, as elsewhere
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    verbose: Flags.boolean({ description: "details and programs' output", helpGroup: 'GLOBAL' }),
  }
  static override strict = false
  static override args = {
    image: Args.string({ required: true, description: 'image reference, as container2vm takes it' }),
    command: Args.string({ description: 'after --: program and arguments' }),
  }
  static override flags = {
    volume: Flags.string({ char: 'v', ...list, description: 'SOURCE:TARGET[:ro], a file or folder of this host' }),
    env: Flags.string({ char: 'e', ...list, description: 'NAME=VALUE, or NAME to hand on this host’s' }),
    user: Flags.string({ char: 'u', description: 'USER[:GROUP] of the image, names or numbers' }),
    workdir: Flags.string({ char: 'w', description: 'working directory in the image' }),
    net: networkFlag('private where slirp4netns is installed, else host'),
    memory: Flags.string({ description: 'memory at most, swap included, e.g. 512M (cgroup v2)' }),
    cpus: Flags.string({ description: 'processors at most, e.g. 1.5 (cgroup v2)' }),
    pids: Flags.integer({ description: 'processes at most, six of the sandbox included (cgroup v2)', min: 8 }),
    commit: Flags.string({
      description:
        'image that keeps the changes: oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME:TAG, docker://HOST/NAME:TAG; with --squash also dockerfile:DIR, tarball:FILE',
    }),
    squash: Flags.boolean({ description: 'one layer with everything instead of one more', dependsOn: ['commit'] }),
    tag: Flags.string({ char: 't', ...list, description: 'name of the new image', dependsOn: ['commit'] }),
    force: Flags.boolean({ char: 'f', description: 'replace the output when it exists' }),
    platform: Flags.string({ description: 'os/architecture of the image to take', env: 'C2M_PLATFORM' }),
  }

  #send: ((signal: NodeJS.Signals) => void) | undefined

  /** Ctrl-C is the running command's; what it does with it is its own affair. */
  protected override onSignal(name: NodeJS.Signals): void {
    if (name === 'SIGINT' && this.#send !== undefined && !this.signal.aborted) this.#send(name)
    else super.onSignal(name)
  }

  async run(): Promise<ShellResult> {
    const { args, raw, flags } = await this.parse(Shell)
    // oclif's argv is sorted by where each word stands first
    const [, ...command] = raw.filter(({ type }) => type === 'arg').map(({ input }) => input)
    if (command.some((word) => word.includes('\0')))
      throw usageError('C2M_USAGE', 'an argument has a zero byte', 'leave it out')
    const converter = await this.converter(await this.settings(flags), this.reporter(flags))
    // the result has standard output for itself
    const descriptors = this.jsonEnabled() ? ([0, 2, 2] as const) : ([0, 1, 2] as const)
    const result = await converter.shell({
      image: args.image,
      platform: flags.platform,
      command,
      network: flags.net,
      volumes: (flags.volume ?? []).map(parseVolume),
      environment: parseEnvironment(flags.env ?? [], process.env),
      user: flags.user,
      workingDirectory: flags.workdir,
      limits: parseLimits(flags),
      commit: flags.commit,
      squash: flags.squash,
      tags: flags.tag ?? [],
      force: flags.force,
      descriptors,
      terminal: !this.jsonEnabled() && isatty(0) && isatty(1),
      onRunning: (send) => (this.#send = send),
    })
    if (result.committed !== undefined) this.logToStderr(committedText(result.committed))
    process.exitCode = result.exitCode
    return result
  }
}
