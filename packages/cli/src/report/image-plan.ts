import type { ImagePlan } from '@c2m/core'
import type { UsedConfig } from '../config/defaults.js'
import { configText, textOf } from './lines.js'
import { formatBytes } from './reporters.js'

/** What became of a machine, for people. */
export function imagePlanText(plan: ImagePlan, used?: UsedConfig): string {
  const lines = used === undefined ? [] : [configText(used)]
  const say = (label: string, value: string | undefined) => {
    if (value) lines.push(`${label.padEnd(11)} ${value}`)
  }
  say('system', `${plan.os ?? 'unknown'} (${plan.architecture})`)
  say('root', `${plan.root}${plan.reasons.length > 0 ? `: ${plan.reasons.join(', ')}` : ''}`)
  for (const { path, from } of plan.mounts) say('', `${path} from ${from}`)
  say('content', `${plan.entries} entries, ${formatBytes(plan.bytes)}`)
  const gone = plan.cleaning.filter(({ applied, removed, emptied }) => applied && removed + emptied > 0)
  const kept = plan.cleaning.filter(({ applied, removed, emptied }) => !applied && removed + emptied > 0)
  if (gone.length > 0) lines.push('left behind')
  for (const rule of gone) lines.push(ruleLine(rule))
  if (kept.length > 0) lines.push('kept (--clean ID leaves it behind)')
  for (const rule of kept) lines.push(ruleLine(rule))
  const services = plan.services.filter(({ role }) => role === 'application')
  say('services', services.map(({ name, ports }) => [name, ...ports].join(' ')).join(', '))
  say('runs', `${plan.init.id} (${plan.init.because})`)
  say('ports', plan.ports.join(', '))
  for (const { path, note } of plan.volumes) say('volume?', `${path}: ${note}`)
  return textOf(lines)
}

function ruleLine({ id, summary, removed, emptied, bytes }: ImagePlan['cleaning'][number]): string {
  const counts = [
    removed > 0 ? `${removed} ${removed === 1 ? 'entry' : 'entries'}` : '',
    emptied > 0 ? `${emptied} ${emptied === 1 ? 'file' : 'files'} emptied` : '',
  ]
  return `  ${id.padEnd(18)} ${formatBytes(bytes).padStart(10)}  ${counts.filter(Boolean).join(', ')}: ${summary}`
}
