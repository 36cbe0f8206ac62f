import { access } from 'node:fs/promises'
import { C2mError, requireTool, run, type CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import { insist, settle } from './kernel-device.js'

/** A logical volume whose device is there. */
export interface LogicalVolume {
  /** E.g. '/dev/mapper/vg0-root'. */
  readonly device: string
  /** E.g. '/dev/vg0/root'. */
  readonly path: string
}

/** lvm(8): letters, digits and +_.- , not first a hyphen. The names come from the disk. */
const NAME = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/

/**
 * Activates the volume groups that lie on these devices, and no others, read-only.
 * @throws C2M_TOOL_MISSING, C2M_LVM_NAME, C2M_COMMAND_FAILED, C2M_INTERRUPTED
 */
export async function activateLvm(
  devices: readonly string[],
  { env, signal, reporter }: ReaderContext,
  cleanup: CleanupStack,
): Promise<readonly LogicalVolume[]> {
  const lvm = new Lvm(await requireTool('lvm', 'reading logical volumes', 'lvm2'), env, signal)
  const only = [...devices.map((device) => `a|^${device}$|`), 'r|.*|']
  const others = [...devices.map((device) => `r|^${device}$|`), 'a|.*|']
  await settle()
  const groups = (await lvm.report('vgs', only, ['vg_name'])).map(({ vg_name: name = '' }) => name)
  const taken = (await lvm.report('vgs', others, ['vg_name'])).map(({ vg_name: name = '' }) => name)
  for (const name of groups) {
    if (NAME.test(name) && !taken.includes(name)) continue
    throw new C2mError('C2M_LVM_NAME', `this host has a volume group named ${JSON.stringify(name)}, too`, {
      hint: 'use --reader guestfs',
    })
  }
  if (groups.length === 0) {
    reporter.warn(`no volume group is complete on this disk`)
    return []
  }
  cleanup.defer(async () => {
    await settle()
    await insist(() => lvm.run(['vgchange', '--activate=n', ...groups], only, { abortable: false }))
  })
  await lvm.run(['vgchange', '--activate=y', ...groups], only, { readOnly: groups })
  await settle()
  const found: LogicalVolume[] = []
  for (const { lv_path: path = '', lv_dm_path: device = '' } of await lvm.report('lvs', only, FIELDS, groups)) {
    const isThere = await access(device).then(
      () => true,
      () => false,
    )
    if (isThere && path !== '') found.push({ device, path })
  }
  return found
}

const FIELDS = ['lv_path', 'lv_dm_path']

interface LvmOptions {
  /** Groups whose volumes cannot be written to once they are active. */
  readonly readOnly?: readonly string[]
  readonly abortable?: boolean
}

class Lvm {
  constructor(
    private readonly program: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly signal: AbortSignal,
  ) {}

  /** @param filter which devices lvm looks at (lvm.conf(5), devices/filter); the host's list of devices does not count */
  async run(args: readonly string[], filter: readonly string[], options: LvmOptions = {}): Promise<string> {
    const list = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(',')}]`
    const config = [
      `devices{filter=${list(filter)} global_filter=${list(filter)} use_devicesfile=0 hints="none" scan_lvs=1}`,
      'backup{backup=0 archive=0}',
      ...(options.readOnly === undefined ? [] : [`activation{read_only_volume_list=${list(options.readOnly)}}`]),
    ].join(' ')
    const [command = '', ...rest] = args
    const { stdout } = await run(this.program, [command, `--config=${config}`, ...rest], {
      env: { ...this.env, LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' },
      ...(options.abortable === false ? {} : { signal: this.signal }),
    })
    return stdout
  }

  async report(
    command: 'vgs' | 'lvs',
    filter: readonly string[],
    fields: readonly string[],
    groups: readonly string[] = [],
  ): Promise<readonly Readonly<Record<string, string>>[]> {
    const args = [command, '--reportformat=json', `--options=${fields.join(',')}`, ...groups]
    const { report } = JSON.parse(await this.run(args, filter)) as {
      report: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>[]
    }
    return report.flatMap((one) => one[command === 'vgs' ? 'vg' : 'lv'] ?? [])
  }
}
