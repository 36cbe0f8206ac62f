import type { BootTarget, BootloaderPlugin, DistroTraits } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import type { PluginRegistry, Provided } from '../plugins/registry.js'

/**
 * The boot loaders that go onto the disk: the ones asked for, else the first of the distro's list that can do the target.
 * Of a family, the members that can; of one named by id, that one or an error that says why not.
 * @throws C2M_BOOTLOADER_UNSUPPORTED, C2M_PLUGIN_UNKNOWN_ID
 */
export function chooseBootloaders(
  asked: string | undefined,
  target: BootTarget,
  traits: DistroTraits,
  registry: PluginRegistry,
): readonly Provided<BootloaderPlugin>[] {
  const refusals: string[] = []
  for (const name of asked === undefined ? traits.bootloaders : [asked]) {
    const able: Provided<BootloaderPlugin>[] = []
    for (const one of registry.bootloaderOrFamily(name)) {
      const verdict = one.contribution.supports(target, traits)
      if (verdict.ok) able.push(one)
      else refusals.push(`${one.contribution.id}: ${verdict.because} (${verdict.hint})`)
    }
    if (able.length > 0) return able
  }
  throw new C2mError(
    'C2M_BOOTLOADER_UNSUPPORTED',
    `no boot loader can boot this machine (${target.architecture}, ${target.table}): ${refusals.join('; ') || 'none is known'}`,
    { hint: 'choose another with --bootloader or another --partition-table', exitCode: ExitCode.usage },
  )
}
