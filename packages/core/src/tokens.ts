import type { Reporter } from '@c2m/process'
import type { PluginRegistry } from './plugins/registry.js'

/** A symbol that knows what is registered under it. */
export type Token<T> = symbol & { readonly provides?: T }

export interface Settings {
  /** Absolute path of the cache folder. */
  readonly cache: string
  readonly env: NodeJS.ProcessEnv
}

export const REGISTRY: Token<PluginRegistry> = Symbol('c2m.registry')
export const REPORTER: Token<Reporter> = Symbol('c2m.reporter')
export const SIGNAL: Token<AbortSignal> = Symbol('c2m.signal')
export const SETTINGS: Token<Settings> = Symbol('c2m.settings')
