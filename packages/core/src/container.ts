import 'reflect-metadata'
import type { Reporter } from '@c2m/process'
import { container, type DependencyContainer } from 'tsyringe'
import type { PluginRegistry } from './plugins/registry.js'
import { REGISTRY, REPORTER, SETTINGS, SIGNAL, type Settings } from './tokens.js'

export interface Surroundings {
  readonly registry: PluginRegistry
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly settings: Settings
}

/** The composition root: a fresh container for one conversion, so nothing of one leaks into the next. */
export function compose(surroundings: Surroundings): DependencyContainer {
  const child = container.createChildContainer()
  child.register(REGISTRY, { useValue: surroundings.registry })
  child.register(REPORTER, { useValue: surroundings.reporter })
  child.register(SIGNAL, { useValue: surroundings.signal })
  child.register(SETTINGS, { useValue: surroundings.settings })
  return child
}
