import type { ImagePlan, InitRequest, LayerCompression, ReaderId } from '@c2m/core'
import type { parseDestination, VmToContainerRequest, VmToContainerResult } from '@c2m/core'
import type { DiskFormat } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { withDefaults, type UsedConfig } from '../config/defaults.js'
import { parseExclude } from '../flags/exclude.js'
import { parseSize } from '../flags/size.js'
import { imagePlanText } from '../report/image-plan.js'
import { formatBytes } from '../report/reporters.js'

const FORMATS: readonly DiskFormat[] = ['raw', 'qcow2', 'vdi', 'vmdk', 'vhd', 'vhdx']
const READERS: readonly ReaderId[] = ['direct', 'nbd', 'guestfs']
const COMPRESSIONS: readonly LayerCompression[] = ['none', 'gzip', 'zstd']
type Destination = ReturnType<typeof parseDestination>

const list = { multiple: true, multipleNonGreedy: true } as const

export default class Vm2container extends BaseCommand {
  static override summary = 'Turn a machine’s disk, or a running machine, into a container image.'
  static override description =
    'Finds the root file system and what it mounts, leaves behind what only a machine needs, and writes an image without a base (FROM scratch). The disk is never written to. Needs no root.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> myvm.vdi',
    '<%= config.bin %> <%= command.id %> server.vmdk -o docker://localhost:5000/legacy/server:1 --init service=nginx.service',
    '<%= config.bin %> <%= command.id %> root.dump -o dockerfile:./build',
    '<%= config.bin %> <%= command.id %> ssh://admin@old-server -o oci:./server',
  ]

  static override args = {
    machine: Args.string({
      required: true,
      description:
        'disk image, block device, partition dump, root tar (- for standard input), or ssh://[USER@]HOST[:PORT]',
    }),
  }

  static override flags = {
    output: Flags.string({
      char: 'o',
      description:
        'docker-archive:FILE, oci:DIR, oci-archive:FILE, docker-daemon:NAME:TAG, docker://HOST/NAME:TAG, dockerfile:DIR or tarball:FILE; the FILE - is standard output, and all that is said, the object of --json too, then goes to stderr [default: docker-archive:NAME.docker.tar]',
    }),
    tag: Flags.string({ char: 't', ...list, description: 'name of the image [default: NAME:latest]' }),
    force: Flags.boolean({ char: 'f', description: 'replace the output when it exists' }),
    reader: Flags.option({ options: READERS })({
      description: 'direct: in this process; nbd: by the kernel, as root; guestfs: by libguestfs [default: direct]',
      env: 'C2M_READER',
    }),
    format: Flags.option({ options: FORMATS })({ description: 'of the disk, when its own bytes do not tell it' }),
    'allow-backing': Flags.string({ ...list, description: 'further folder that the files of a disk may lie in' }),
    root: Flags.string({ description: 'the root’s partition: its number, UUID=… or LABEL=…' }),
    'passphrase-file': Flags.string({ description: 'file with the passphrase of encrypted volumes' }),
    sudo: Flags.boolean({ description: 'on a running machine: read with sudo' }),
    'all-filesystems': Flags.boolean({
      description: 'of a running machine: all its file systems, not only the root’s',
    }),
    'max-size': Flags.string({ description: 'of a running machine: what its tree may take at most, e.g. 200G' }),
    distro: Flags.string({ description: 'distro plugin, when the machine does not say what it is' }),
    clean: Flags.string({ ...list, description: 'id of a cleaning rule that is not applied by itself, or all' }),
    keep: Flags.string({ ...list, description: 'id of a cleaning rule that is not to be applied, or all' }),
    exclude: Flags.string({ ...list, description: 'glob of paths that stay behind, from the root on' }),
    'exclude-secrets': Flags.boolean({ description: 'leave files that look like secrets behind, and lock passwords' }),
    devices: Flags.boolean({ description: 'take character and block devices into the image' }),
    'only-original': Flags.boolean({ description: 'of a machine that c2m made: without what c2m added' }),
    init: Flags.string({
      description: 'what runs: an init system’s id, service=UNIT, shell or none [default: what the machine runs]',
      env: 'C2M_INIT',
    }),
    compress: Flags.option({ options: COMPRESSIONS })({
      description: 'of layers [default: gzip for layouts and registries, else none]',
    }),
    level: Flags.integer({ description: 'of the compression: gzip 1 to 9, zstd 1 to 19', min: 1, max: 19 }),
    'split-layers': Flags.boolean({ description: 'files of packages in one layer, the rest in another' }),
    'dry-run': Flags.boolean({ description: 'print what would be done, write nothing' }),
  }

  async run(): Promise<(VmToContainerResult | ImagePlan) & { configuration?: UsedConfig }> {
    const parsed = await this.parse(Vm2container)
    const { machine } = parsed.args
    const reporter = this.reporter(parsed.flags)
    const settings = await this.settings(parsed.flags, 'vm2container')
    // a switch that is not given is absent, whatever its type says, so that the configuration decides
    const flags = withDefaults<Partial<typeof parsed.flags>, object>(parsed.flags, settings.values.vm2container)
    const { machineName, machineTarget, parseDestination } = await import('@c2m/core')
    const name = imageName(machineName(machineTarget(machine)))
    const output = flags.output ?? `docker-archive:${name}.docker.tar`
    // a dry run writes nothing there
    const destination = parseDestination(output)
    this.outputIsStdout = isStdout(destination) && flags['dry-run'] !== true
    const request: VmToContainerRequest = {
      machine,
      output,
      tags: flags.tag ?? defaultTags(destination, name),
      force: flags.force ?? false,
      reader: flags.reader ?? 'direct',
      format: flags.format,
      allowBacking: flags['allow-backing'] ?? [],
      root: flags.root,
      passphraseFile: flags['passphrase-file'],
      sudo: flags.sudo ?? false,
      allFilesystems: flags['all-filesystems'] ?? false,
      maxBytes: flags['max-size'] === undefined ? undefined : parseSize(flags['max-size']),
      distro: flags.distro,
      clean: flags.clean ?? [],
      keep: flags.keep ?? [],
      exclude: parseExclude(flags.exclude ?? []),
      excludeSecrets: flags['exclude-secrets'] ?? false,
      devices: flags.devices ?? false,
      onlyOriginal: flags['only-original'] ?? false,
      init: flags.init === undefined ? undefined : parseInit(flags.init),
      compression: flags.compress,
      level: flags.level,
      splitLayers: flags['split-layers'] ?? false,
    }
    const converter = await this.converter(settings, reporter)
    if (flags['dry-run']) {
      const plan = await converter.planImage(request)
      this.log(imagePlanText(plan, settings.used))
      return { ...plan, configuration: settings.used }
    }
    const result = await converter.vm2container(request)
    this.log(imagePlanText(result.plan, settings.used))
    const stored = result.layers.reduce((sum, { size }) => sum + size, 0)
    this.log(
      `${result.destination}: ${formatBytes(stored)} in ${result.layers.length === 1 ? 'one layer' : `${result.layers.length} layers`}`,
    )
    this.log(`  ${result.nextCommand}`)
    if (result.runCommand !== undefined && result.runCommand !== result.nextCommand) this.log(`  ${result.runCommand}`)
    return { ...result, configuration: settings.used }
  }
}

/** Folders may have that name, archives not. */
function isStdout(destination: Destination): boolean {
  const { transport } = destination
  const isArchive = transport === 'docker-archive' || transport === 'oci-archive' || transport === 'tarball'
  return isArchive && destination.path === '-'
}

/** A repository's name (distribution-spec): lower-case letters, digits and single separators. */
function imageName(name: string): string {
  const clean = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|(?<!-)-+$/g, '')
  return clean || 'machine'
}

/** What carries a name of its own needs no other. */
function defaultTags(destination: Destination, name: string): readonly string[] {
  const nameless = destination.transport === 'docker-archive' && destination.name === undefined
  return nameless ? [`${name}:latest`] : []
}

function parseInit(text: string): InitRequest {
  if (text === 'shell' || text === 'none') return { kind: text }
  const [kind, name] = text.split('=', 2)
  if (kind === 'service' && name) return { kind: 'service', name }
  if (name === undefined && /^[a-z][a-z0-9-]*$/.test(text)) return { kind: 'init', id: text }
  throw usageError('C2M_INIT', `'${text}' is no init`, 'write systemd, openrc, service=UNIT, shell or none')
}
