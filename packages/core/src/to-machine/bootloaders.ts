import type { BootTarget, BootloaderPlugin, DistroTraits } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import type { PluginRegistry, Provided } from '../plugins/registry.js'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'

type Wish = Pick<ContainerToVmRequest, 'bootloader' | 'firmware'>

/**
 * The boot loaders that go onto the disk: the ones asked for, else the first of the distro's list that can do the target.
 * Of a family, the members that can; of one named by id, that one or an error that says why not, and what would work.
 * @throws C2M_BOOTLOADER_UNSUPPORTED, C2M_PLUGIN_UNKNOWN_ID
 */
export function chooseBootloaders(
  { bootloader, firmware }: Wish,
  target: BootTarget,
  traits: DistroTraits,
  registry: PluginRegistry,
): readonly Provided<BootloaderPlugin>[] {
  const refusals: string[] = []
  const isAble = ({ contribution }: Provided<BootloaderPlugin>, at = target) =>
    refusal(contribution, firmware, at, traits) === undefined
  for (const name of bootloader === undefined ? traits.bootloaders : [bootloader]) {
    const members = registry.bootloaderOrFamily(name)
    const able = members.filter((one) => isAble(one))
    if (able.length > 0) return able
    for (const { contribution } of members)
      refusals.push(`${contribution.id}: ${refusal(contribution, firmware, target, traits)}`)
  }
  const under = firmware === undefined ? '' : `, ${firmware}`
  const otherTable = target.table === 'gpt' ? 'mbr' : 'gpt'
  const ids = (at: BootTarget) =>
    registry
      .bootloaders()
      .filter((one) => isAble(one, at))
      .map(({ contribution }) => contribution.id)
  const here = ids(target)
  const there = ids({ ...target, table: otherTable })
  throw new C2mError(
    'C2M_BOOTLOADER_UNSUPPORTED',
    `no boot loader can boot this machine (${target.architecture}, ${target.table}${under}): ${refusals.join('; ') || 'none is known'}`,
    {
      hint:
        here.length > 0
          ? `these can: --bootloader ${here.join(', ')}`
          : there.length > 0
            ? `with --partition-table ${otherTable} these can: ${there.join(', ')}`
            : 'none of the loaded plugins can; add one with c2m plugins install',
      exitCode: ExitCode.usage,
    },
  )
}

/** Why a boot loader cannot do the target, and its own advice. */
function refusal(
  { firmware: known, supports }: BootloaderPlugin,
  firmware: Wish['firmware'],
  target: BootTarget,
  traits: DistroTraits,
): string | undefined {
  if (firmware !== undefined && !known.includes(firmware)) return `it starts under ${known.join(' and ')} only`
  const verdict = supports(target, traits)
  return verdict.ok ? undefined : `${verdict.because} (${verdict.hint})`
}
