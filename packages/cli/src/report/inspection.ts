import type { DiskInspection, ImageInspection } from '@c2m/core'
import { messageLines, textOf } from './lines.js'
import { formatBytes } from './reporters.js'

type Row = readonly [label: string, value: string | undefined]

export function imageText(found: ImageInspection): string {
  const { config, distro } = found
  const lines = rows([
    ['image', found.name],
    ['digest', found.digest],
    ['platform', found.platform],
    ['system', found.os ?? 'unknown (no os-release)'],
    ['plugin', distro === undefined ? `none: ${found.notSupported}` : `${distro.id} (${distro.plugin})`],
    ['content', `${found.entries} entries, ${formatBytes(found.bytes)}, ${found.layers.length} layers`],
    ['kernels', found.kernels.join(', ') || 'none (one will be installed)'],
    ['entrypoint', config.entrypoint.join(' ')],
    ['command', config.cmd.join(' ')],
    ['user', config.user],
    ['ports', config.exposedPorts.join(', ')],
  ])
  return textOf(lines)
}

export function diskText(found: DiskInspection): string {
  const { table, machine } = found
  const format = found.variant === undefined ? found.format : `${found.format} (${found.variant})`
  const lines = [
    ...rows([
      ['disk', `${found.path}, ${format}, ${formatBytes(found.size)}`],
      ['files', found.files.length > 1 ? found.files.join(', ') : ''],
      ['table', table === undefined ? 'none' : `${table.table}, ${table.id}, sectors of ${table.sectorSize} bytes`],
    ]),
  ]
  for (const { name, size, filesystem, label, uuid, usedBytes, bootable, blank } of found.volumes) {
    const used = usedBytes === undefined ? '' : `, ${formatBytes(usedBytes)} used`
    const names = [label === undefined ? '' : `label ${label}`, uuid === undefined ? '' : `UUID ${uuid}`]
    const words = [
      filesystem ?? (blank === true ? 'blank' : 'nothing known'),
      ...names,
      bootable === true ? 'bootable' : '',
    ].filter(Boolean)
    lines.push(`  ${name.padEnd(12)} ${formatBytes(size).padStart(10)}${used}: ${words.join(', ')}`)
  }
  lines.push('root candidates')
  for (const { volume, score, reasons } of found.candidates) {
    lines.push(`  ${volume.padEnd(12)} ${String(score).padStart(4)}: ${reasons.join(', ') || 'nothing speaks for it'}`)
  }
  if (found.candidates.length === 0) lines.push('  none')
  if (machine === undefined) return textOf([...lines, ...rows([['machine', found.notReadable]]).flatMap(messageLines)])
  const { distro } = machine
  const applications = machine.services.filter(({ role }) => role === 'application')
  lines.push(
    ...rows([
      ['root', machine.root],
      ['mounts', machine.mounts.map(({ path, from }) => `${path} from ${from}`).join(', ')],
      ['system', `${machine.os ?? 'unknown'} (${machine.architecture})`],
      ['plugin', distro === undefined ? 'none: what holds for every Linux' : `${distro.id} (${distro.plugin})`],
      ['content', `${machine.entries} entries, ${formatBytes(machine.bytes)}`],
      ['boot loader', machine.bootloaders.map(({ id, what }) => `${id}: ${what}`).join('; ')],
      ['init', machine.inits.join(', ')],
      ['services', applications.map(({ name, ports }) => [name, ...ports].join(' ')).join(', ')],
      [
        'of the system',
        machine.services
          .filter(({ role }) => role === 'system')
          .map(({ name }) => name)
          .join(', '),
      ],
    ]),
  )
  return textOf(lines)
}

function rows(all: readonly Row[]): string[] {
  return all.filter(([, value]) => value).map(([label, value]) => `${label.padEnd(13)} ${value}`)
}
