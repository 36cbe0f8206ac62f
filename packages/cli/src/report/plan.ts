import { sshKeyText, type PlanSummary } from '@c2m/core'
import type { UsedConfig } from '../config/defaults.js'
import { configText, messageLines, textOf } from './lines.js'
import { formatBytes } from './reporters.js'

/** The plan for people: `--dry-run` without `--json`. */
export function planText(plan: PlanSummary, used?: UsedConfig): string {
  const { image, distro, bootloaders, firmware, disk, device, packages, sandbox, sshKeys, steps, warnings } = plan
  const lines = [
    ...(used === undefined ? [] : [configText(used)]),
    `image       ${image.name} (${image.architecture}, ${image.digest})`,
    `distro      ${distro.name} (plugin ${distro.plugin})`,
    `boot loader ${bootloaders.map(({ id }) => id).join(', ')} for ${firmware.join(' and ')}`,
    `disk        ${disk.format}, ${disk.table}`,
    ...(device === undefined ? [] : [`device      ${deviceText(device)}`]),
    ...disk.partitions.map(({ number, role, size, filesystem, mountpoint }) =>
      `  ${number}  ${role.padEnd(9)} ${(size > 0 ? formatBytes(size) : 'the rest').padEnd(10)} ${filesystem ?? ''} ${mountpoint ?? ''}`.trimEnd(),
    ),
    `packages    ${packages.join(' ') || 'none'}`,
    `sandbox     ${sandbox}`,
    ...sshKeys.map((key) => `ssh key     ${sshKeyText(key)}`),
    'steps',
    ...steps.map(({ phase, title }) => `  ${phase.padEnd(9)} ${title}`),
    ...warnings.flatMap((warning) => messageLines(`warning: ${warning}`)),
  ]
  return textOf(lines)
}

function deviceText({ path, model, serial, size, contents }: NonNullable<PlanSummary['device']>): string {
  const known = [model, serial === undefined ? undefined : `serial ${serial}`, formatBytes(size)].filter(Boolean)
  return `${path} (${known.join(', ')}), now ${contents.join(', ') || 'nothing known'}`
}
