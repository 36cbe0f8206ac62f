import type { LoadedConfig } from './load.js'
import type { Section } from './schema.js'

/** What a command took from a configuration. */
export interface UsedConfig {
  readonly file: string
  readonly keys: readonly string[]
}

/** Flags as they were given, and for those that were not, what a configuration says. */
export function withDefaults<F extends object, D extends object>(given: F, defaults: D | undefined): F & Partial<D> {
  return { ...defaults, ...definedOnly(given) }
}

/** The keys of a configuration that a command with these flags takes; undefined when there are none. */
export function usedConfig({ file, values }: LoadedConfig, given: object, section?: Section): UsedConfig | undefined {
  if (file === undefined) return undefined
  const own = Object.keys(definedOnly((section && values[section]) ?? {})).filter((key) => !(key in definedOnly(given)))
  const keys = [
    ...(['plugins', 'overrides'] as const).filter((key) => values[key] !== undefined),
    ...own.map((key) => `${section}.${key}`),
  ]
  return keys.length === 0 ? undefined : { file, keys }
}

/** The keys that a command would take, were the file named. */
export function ignoredKeys({ ignored = [] }: LoadedConfig, section?: Section): readonly string[] {
  return ignored.filter((key) => !key.includes('.') || key.startsWith(`${section}.`))
}

function definedOnly<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}
