import type { ContainerToVmRequest, ContainerToVmResult, PlanSummary } from '@c2m/core'
import type { DiskFormat } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { withDefaults, type UsedConfig } from '../config/defaults.js'
import { kernelFlag } from '../flags/kernel.js'
import { networkFlag, parseDuration } from '../flags/sandbox.js'
import { parseSize } from '../flags/size.js'
import { formatBytes } from '../report/reporters.js'

const FORMATS: readonly DiskFormat[] = ['raw', 'qcow2', 'vdi', 'vmdk', 'vhd', 'vhdx']

export default class Container2vm extends BaseCommand {
  static override summary = 'Turn a container image into a bootable machine disk.'
  static override description =
    'The image gets a kernel, an init system, a boot loader and the configuration of a machine. Needs no root, no daemon and no loop devices.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> debian:12',
    '<%= config.bin %> <%= command.id %> oci:./debian-12 -o web.qcow2 --hostname web --ssh-key ~/.ssh/id_ed25519.pub --verify',
    '<%= config.bin %> <%= command.id %> docker-archive:app.tar -o app.vmdk --bootloader grub-efi --size 4G',
    '<%= config.bin %> <%= command.id %> oci:./debian-12 -o /dev/sdX --target physical --keyboard de --force',
  ]

  static override args = {
    image: Args.string({
      required: true,
      description:
        'docker://, oci:, oci-archive:, docker-archive:, docker-daemon:, container:, dockerfile:, tarball:, dir:, or a bare name or path',
    }),
  }

  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'disk to make: a file whose extension gives the format, or a block device [default: NAME.qcow2]',
    }),
    format: Flags.option({ options: FORMATS })({ description: 'disk format, when the extension does not say it' }),
    subformat: Flags.option({ options: ['fixed'] as const })({ description: 'fixed: a vhd as Azure wants it' }),
    force: Flags.boolean({ char: 'f', description: 'replace the output when it exists, or all that is on the device' }),
    size: Flags.string({ description: "the disk's size, e.g. 10G [default: auto]", env: 'C2M_SIZE' }),
    bootloader: Flags.string({ description: 'boot loader id or family', env: 'C2M_BOOTLOADER' }),
    firmware: Flags.option({ options: ['bios', 'uefi'] as const })({
      description: 'what the machine starts under [default: all that its boot loaders can]',
    }),
    'partition-table': Flags.option({ options: ['gpt', 'mbr'] as const })({ description: 'default: gpt' }),
    target: Flags.option({ options: ['vm', 'physical'] as const })({
      description: 'vm, or physical: any computer, with all drivers, firmware, and the console on its screen',
      default: 'vm',
    }),
    platform: Flags.string({ description: 'os/architecture of the image to take', env: 'C2M_PLATFORM' }),
    distro: Flags.string({ description: 'distro plugin, when the image does not say what it is' }),
    kernel: Flags.string({
      description: 'kernel flavour, by the distro plugin’s names, or a kernel image',
      env: 'C2M_KERNEL',
    }),
    hostname: Flags.string({ description: 'default: the image’s name', env: 'C2M_HOSTNAME' }),
    'root-password': Flags.string({
      description: 'root’s password in plain text (others can see it: prefer the file)',
    }),
    'root-password-file': Flags.string({
      description: 'file with root’s password',
      env: 'C2M_ROOT_PASSWORD_FILE',
    }),
    'root-password-hash': Flags.string({
      description: 'crypt(5) hash of root’s password',
      env: 'C2M_ROOT_PASSWORD_HASH',
    }),
    'ssh-key': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'public key file for root and --user',
    }),
    user: Flags.string({ multiple: true, multipleNonGreedy: true, description: 'NAME[:group,…,sudo]' }),
    network: Flags.string({ description: 'dhcp, none or static:ADDRESS/PREFIX,gateway=ADDRESS [default: dhcp]' }),
    'network-manager': Flags.string({ description: 'network manager, by the distro plugin’s names' }),
    dns: Flags.string({ multiple: true, multipleNonGreedy: true, description: 'DNS server' }),
    timezone: Flags.string({ description: 'e.g. Europe/Berlin' }),
    locale: Flags.string({ description: 'e.g. de_DE.UTF-8' }),
    keyboard: Flags.string({ description: 'keyboard layout of the console, e.g. de, or de:nodeadkeys' }),
    package: Flags.string({ multiple: true, multipleNonGreedy: true, description: 'further package to install' }),
    cmdline: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'words for the kernel command line',
    }),
    console: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description:
        'kernel console; the last gets /dev/console [default: tty0, ttyS0,115200n8; physical: the screen last]',
    }),
    swap: Flags.string({ description: 'size of a swap partition' }),
    'boot-size': Flags.string({ description: 'size of a /boot partition of its own' }),
    'esp-size': Flags.string({ description: 'size of the EFI system partition' }),
    sandbox: Flags.option({ options: ['userns', 'root', 'docker'] as const })({
      description: 'where packages are installed [default: userns]',
      env: 'C2M_SANDBOX',
    }),
    net: networkFlag('http'),
    'package-timeout': Flags.string({
      description: 'for each command of the package step, e.g. 90s, 30m, 2h [default: 2h]',
      helpGroup: 'SANDBOX',
    }),
    refresh: Flags.boolean({ description: 'install packages anew instead of taking the cached layer' }),
    seed: Flags.string({ description: 'the same seed and input give the same bytes', env: 'C2M_SEED' }),
    verify: Flags.boolean({ description: 'boot the result in QEMU before calling it done' }),
    'dry-run': Flags.boolean({ description: 'print the plan, do nothing' }),
  }

  async run(): Promise<(ContainerToVmResult | PlanSummary) & { configuration?: UsedConfig }> {
    const parsed = await this.parse(Container2vm)
    const { image } = parsed.args
    const reporter = this.reporter(parsed.flags)
    const settings = await this.settings(parsed.flags, 'container2vm')
    const flags = withDefaults(parsed.flags, settings.values.container2vm)
    const { size = 'auto' } = flags

    const { parseReference } = await import('@c2m/core')
    const name = parseReference(image).name
    const output = flags.output ?? `${name}.${flags.format === undefined ? 'qcow2' : extension(flags.format)}`
    const format = flags.format ?? (await formatOf(output))
    if (flags.subformat !== undefined && format !== 'vhd') {
      throw usageError(
        'C2M_FLAG_CONFLICT',
        `--subformat ${flags.subformat} is for vhd, the format is ${format}`,
        'leave it out',
      )
    }
    const { machineRequest } = await import('../flags/machine.js')
    const kernel = await kernelFlag(flags.kernel)
    const request: ContainerToVmRequest = {
      image,
      output,
      format,
      subformat: flags.subformat,
      force: flags.force,
      size: size === 'auto' ? 'auto' : parseSize(size),
      bootloader: flags.bootloader,
      firmware: flags.firmware,
      table: flags['partition-table'] ?? 'gpt',
      target: flags.target,
      platform: flags.platform,
      distro: flags.distro,
      machine: await machineRequest({ ...flags, kernel: kernel.flavour }, hostnameFrom(name), reporter),
      kernelFile: kernel.file,
      swapSize: flags.swap === undefined ? 0 : parseSize(flags.swap),
      bootSize: flags['boot-size'] === undefined ? 0 : parseSize(flags['boot-size']),
      espSize: flags['esp-size'] === undefined ? 0 : parseSize(flags['esp-size']),
      sandbox: flags.sandbox ?? 'userns',
      sandboxNetwork: flags.net ?? 'http',
      packageTimeout: flags['package-timeout'] === undefined ? undefined : parseDuration(flags['package-timeout']),
      refresh: flags.refresh,
      seed: flags.seed,
      verify: flags.verify,
    }
    const converter = await this.converter(settings, reporter)
    if (flags['dry-run']) {
      const plan = await converter.plan(request)
      const { planText } = await import('../report/plan.js')
      this.log(planText(plan, settings.used))
      return { ...plan, configuration: settings.used }
    }
    const result = await converter.container2vm(request)
    const diskSize = formatBytes(result.diskBytes)
    this.log(
      result.device === undefined
        ? `${result.output}: ${result.format}, a disk of ${diskSize} in a file of ${formatBytes(result.fileBytes)}`
        : `${result.output}: a disk of ${diskSize}, written and compared`,
    )
    for (const { firmware, seconds } of result.verified) this.log(`boots with ${firmware} in ${seconds.toFixed(0)} s`)
    return { ...result, configuration: settings.used }
  }
}

function extension(format: DiskFormat): string {
  return format === 'raw' ? 'img' : format
}

async function formatOf(output: string): Promise<DiskFormat> {
  const { findBlockDevice, formatForFile } = await import('@c2m/core')
  const format = formatForFile(output)
  if (format !== undefined) return format
  // the name of a device has no extension; one that is missing is told of where devices are
  if (output.startsWith('/dev/') || (await findBlockDevice(output)) !== undefined) return 'raw'
  throw usageError(
    'C2M_FORMAT',
    `the extension of ${output} names no disk format`,
    `use --format ${FORMATS.join('|')}, or an extension .img, .qcow2, .vdi, .vmdk, .vhd, .vhdx`,
  )
}

function hostnameFrom(name: string): string {
  const clean = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|(?<!-)-+$/g, '')
  return clean.slice(0, 63).replace(/(?<!-)-+$/, '') || 'localhost'
}
