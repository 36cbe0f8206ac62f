import { access } from 'node:fs/promises'
import { C2mError, requireTool, run, type CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import { releaseHolders, settle, sitsOn } from './kernel-device.js'

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
  const lvm = new Lvm(await requireTool('lvm', 'reading logical volumes', 'lvm2'), devices, env, signal)
  await settle()
  const groups = (await lvm.report('vgs', ['vg_name'])).map(({ vg_name: name = '' }) => name)
  const odd = groups.find((name) => !NAME.test(name))
  if (odd !== undefined) throw nameError(odd)
  if (groups.length === 0) {
    reporter.warn('no volume group is complete on this disk')
    return []
  }
  // a volume of the host that has the same name, or a clone's same id, must not be taken for one of the disk
  for (const { device } of await volumesOf(lvm, groups)) {
    if ((await isThere(device)) && !(await sitsOn(device, devices))) throw nameError(device)
  }
  // udev may have done so already, with the host's settings; whoever did, what is on the devices goes with them
  for (const device of devices) cleanup.defer(() => releaseHolders(device))
  await lvm.run(['vgchange', '--activate=y', ...groups], groups)
  await settle()
  const found: LogicalVolume[] = []
  for (const volume of await volumesOf(lvm, groups)) {
    if ((await isThere(volume.device)) && (await sitsOn(volume.device, devices))) found.push(volume)
  }
  return found
}

function nameError(name: string): C2mError {
  return new C2mError('C2M_LVM_NAME', `this host has a volume named ${JSON.stringify(name)}, as the disk has`, {
    hint: 'use --reader guestfs',
  })
}

async function volumesOf(lvm: Lvm, groups: readonly string[]): Promise<readonly LogicalVolume[]> {
  const lines = await lvm.report('lvs', ['lv_path', 'lv_dm_path'], groups)
  return lines.flatMap(({ lv_path: path = '', lv_dm_path: device = '' }) => (path === '' ? [] : [{ device, path }]))
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** lvm(8), told to look at some devices only (lvm.conf(5), devices/filter); the host's list of devices does not count. */
class Lvm {
  readonly #filter: string

  constructor(
    private readonly program: string,
    devices: readonly string[],
    private readonly env: NodeJS.ProcessEnv,
    private readonly signal: AbortSignal,
  ) {
    this.#filter = list([...devices.map((device) => `a|^${device}$|`), 'r|.*|'])
  }

  /** @param readOnly groups whose volumes cannot be written to once they are active */
  async run(args: readonly string[], readOnly: readonly string[] = []): Promise<string> {
    const config = [
      `devices{filter=${this.#filter} global_filter=${this.#filter} use_devicesfile=0 hints="none" scan_lvs=1}`,
      'backup{backup=0 archive=0}',
      ...(readOnly.length === 0 ? [] : [`activation{read_only_volume_list=${list(readOnly)}}`]),
    ].join(' ')
    const [command = '', ...rest] = args
    const { stdout } = await run(this.program, [command, `--config=${config}`, ...rest], {
      env: { ...this.env, LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' },
      signal: this.signal,
    })
    return stdout
  }

  async report(
    command: 'vgs' | 'lvs',
    fields: readonly string[],
    groups: readonly string[] = [],
  ): Promise<readonly Readonly<Record<string, string>>[]> {
    const args = [command, '--reportformat=json', `--options=${fields.join(',')}`, ...groups]
    const { report } = JSON.parse(await this.run(args)) as {
      report: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>[]
    }
    return report.flatMap((one) => one[command === 'vgs' ? 'vg' : 'lv'] ?? [])
  }
}

function list(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(',')}]`
}
