import type { Committed } from '@c2m/core'
import { textOf } from './lines.js'
import { formatBytes } from './reporters.js'

/** What a commit made of an image, and what could still go. */
export function committedText({ before, after, directories, ...written }: Committed): string {
  const change = (one: number, other: number) => `${formatBytes(one)} → ${formatBytes(other)}`
  const layers = written.layers.length === 1 ? 'one layer' : `${written.layers.length} layers`
  const lines = [
    `${written.destination}: ${layers}`,
    `  files:   ${change(before.bytes, after.bytes)} in ${before.entries} → ${after.entries} entries`,
    `  layers:  ${change(before.layerBytes, after.layerBytes)}, uncompressed`,
  ]
  if (!written.squashed && after.layerBytes > after.bytes + after.bytes / 10 && after.bytes < before.bytes)
    lines.push('  what was deleted is still in the layers below: --squash makes one layer without it')
  lines.push('  largest directories:')
  for (const { path, bytes } of directories) lines.push(`  ${formatBytes(bytes).padStart(10)}  /${path}`)
  lines.push(`  ${written.nextCommand}`)
  return textOf(lines)
}
