import type { BrokenPlugin, LoadedPlugin, PluginRegistry } from '@c2m/core'
import { messageLines, textOf } from './lines.js'

export interface PluginInspection {
  readonly kind: 'plugins'
  readonly plugins: readonly LoadedPlugin[]
  /** Those that could not be loaded, and why. */
  readonly broken: readonly BrokenPlugin[]
  /** Ids of several plugins, of which none is used. */
  readonly duplicates: PluginRegistry['duplicates']
}

export function inspectPlugins({ loaded, broken, duplicates }: PluginRegistry): PluginInspection {
  return { kind: 'plugins', plugins: loaded, broken, duplicates }
}

/** Every loaded plugin with what it contributes. */
export function loadedText(plugins: readonly LoadedPlugin[]): string {
  return textOf(loadedLines(plugins))
}

export function pluginsText({ plugins, broken, duplicates }: PluginInspection): string {
  const lines = loadedLines(plugins)
  if (broken.length > 0) lines.push('not loaded')
  for (const plugin of broken) lines.push(`  ${headline(plugin)}`, ...messageLines(`    ${plugin.because}`))
  if (duplicates.length > 0) lines.push('not used')
  for (const { id, packageNames } of duplicates) lines.push(`  ${id}: contributed by ${packageNames.join(' and ')}`)
  return textOf(lines)
}

function loadedLines(plugins: readonly LoadedPlugin[]): string[] {
  return plugins.flatMap((plugin) => [
    headline(plugin),
    ...plugin.contributes.map((one) => `  ${contributionText(one)}`),
  ])
}

function headline({ packageName, packageVersion, origin, from }: LoadedPlugin | BrokenPlugin): string {
  return `${packageName} ${packageVersion} (${origin}: ${from})`
}

function contributionText(one: LoadedPlugin['contributes'][number]): string {
  const text = `${one.kind} ${one.id}: ${one.summary}`
  if (one.kind === 'distro') return text
  const family = one.family === undefined ? '' : `family ${one.family}; `
  return `${text} (${family}${one.firmware.join(', ')}; ${one.architectures.join(', ')})`
}
