import type { BootloaderPlugin, BootTraces, Contribution, DistroPlugin } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { asPlugin, findFault } from './validate.js'

/** By which way a plugin came: with the program, by its plugin manager, by the configuration, by a program's own hand. */
export type PluginOrigin = 'built in' | 'installed' | 'linked' | 'configuration' | 'library'

/** A plugin as a host found it: its package, and either what it exports or why it could not be loaded. */
export interface FoundPlugin {
  readonly packageName: string
  readonly packageVersion: string
  readonly origin: PluginOrigin
  /** Its folder; of one that is not there, what asked for it. */
  readonly from: string
  readonly exported?: unknown
  readonly failure?: unknown
}

/** What a plugin contributes, as data. */
export type Contributed =
  | Pick<DistroPlugin, 'kind' | 'id' | 'summary'>
  | Pick<BootloaderPlugin, 'kind' | 'id' | 'summary' | 'family' | 'firmware' | 'architectures'>

export interface LoadedPlugin extends Pick<FoundPlugin, 'packageName' | 'packageVersion' | 'origin' | 'from'> {
  readonly contributes: readonly Contributed[]
}

export interface BrokenPlugin extends Pick<FoundPlugin, 'packageName' | 'packageVersion' | 'origin' | 'from'> {
  readonly because: string
}

export interface Provided<T> {
  readonly contribution: T
  readonly packageName: string
  readonly packageVersion: string
}

/** Every contribution under its kind and id; broken plugins and duplicate ids are kept by name, and do not disturb the rest. */
export class PluginRegistry {
  readonly loaded: readonly LoadedPlugin[]
  readonly broken: readonly BrokenPlugin[]
  readonly #byKey = new Map<string, Provided<Contribution>[]>()
  readonly #overrides: Readonly<Record<string, string>>

  /** @param overrides contribution id → the package whose contribution is to be taken when several have that id */
  constructor(found: readonly FoundPlugin[], overrides: Readonly<Record<string, string>> = {}) {
    this.#overrides = overrides
    const loaded: LoadedPlugin[] = []
    const broken: BrokenPlugin[] = []
    for (const one of [...found].sort((a, b) => (a.packageName < b.packageName ? -1 : 1))) {
      const { packageName, packageVersion, origin, from } = one
      const known = { packageName, packageVersion, origin, from }
      const because = one.failure === undefined ? findFault(one.exported) : describe(one.failure)
      if (because !== undefined) {
        broken.push({ ...known, because })
        continue
      }
      const { contributes } = asPlugin(one.exported)
      for (const contribution of contributes) this.#add({ contribution, packageName, packageVersion })
      loaded.push({ ...known, contributes: contributes.map(contributed) })
    }
    this.loaded = loaded
    this.broken = broken
  }

  /** Ids that several packages contribute and no override decides. */
  get duplicates(): readonly { readonly id: string; readonly packageNames: readonly string[] }[] {
    return [...this.#byKey.values()]
      .filter((providers) => this.#choose(providers) === undefined)
      .map((providers) => ({
        id: providers[0]?.contribution.id ?? '',
        packageNames: providers.map((provider) => provider.packageName),
      }))
  }

  distros(): readonly Provided<DistroPlugin>[] {
    return this.#all('distro') as readonly Provided<DistroPlugin>[]
  }

  /** Where any boot loader that is known keeps its menus. */
  menus(): readonly string[] {
    return this.bootloaders().flatMap(({ contribution }) => contribution.menus ?? [])
  }

  /** What any boot loader that is known leaves in a machine. */
  traces(): BootTraces {
    const all = this.bootloaders().flatMap(({ contribution }) => contribution.traces ?? [])
    const distinct = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())]
    return { files: distinct(all.map(({ files }) => files)), services: distinct(all.map(({ services }) => services)) }
  }

  bootloaders(): readonly Provided<BootloaderPlugin>[] {
    return this.#all('bootloader') as readonly Provided<BootloaderPlugin>[]
  }

  /** @throws C2M_PLUGIN_DUPLICATE, C2M_PLUGIN_UNKNOWN_ID */
  distro(id: string): Provided<DistroPlugin> {
    return this.#one('distro', id) as Provided<DistroPlugin>
  }

  /** The boot loader with this id, or all members of the family with this name. @throws like {@link distro} */
  bootloaderOrFamily(name: string): readonly Provided<BootloaderPlugin>[] {
    const members = this.bootloaders().filter(({ contribution }) => contribution.family === name)
    if (members.length > 0 && !this.#byKey.has(key('bootloader', name))) return members
    return [this.#one('bootloader', name) as Provided<BootloaderPlugin>]
  }

  #add(provided: Provided<Contribution>): void {
    const { kind, id } = provided.contribution
    const list = this.#byKey.get(key(kind, id)) ?? []
    list.push(provided)
    this.#byKey.set(key(kind, id), list)
  }

  #choose(providers: readonly Provided<Contribution>[]): Provided<Contribution> | undefined {
    if (providers.length === 1) return providers[0]
    const chosen = this.#overrides[providers[0]?.contribution.id ?? '']
    return providers.find((provider) => provider.packageName === chosen)
  }

  #all(kind: Contribution['kind']): readonly Provided<Contribution>[] {
    return [...this.#byKey.entries()]
      .filter(([name]) => name.startsWith(`${kind}:`))
      .flatMap(([, providers]) => this.#choose(providers) ?? [])
  }

  #one(kind: Contribution['kind'], id: string): Provided<Contribution> {
    const providers = this.#byKey.get(key(kind, id))
    if (providers === undefined) throw this.#unknown(kind, id)
    const chosen = this.#choose(providers)
    if (chosen !== undefined) return chosen
    const names = providers.map((provider) => provider.packageName)
    throw new C2mError('C2M_PLUGIN_DUPLICATE', `several plugins contribute the ${kind} '${id}': ${names.join(', ')}`, {
      hint: `uninstall all but one, or choose one in the configuration: overrides: { "${id}": "${names[0]}" }`,
      exitCode: 2,
    })
  }

  #unknown(kind: Contribution['kind'], id: string): C2mError {
    const provided = this.#all(kind).map(({ contribution }) => contribution)
    const families = provided.flatMap((one) => (one.kind === 'bootloader' && one.family ? [one.family] : []))
    const known = [...new Set([...families, ...provided.map((one) => one.id)])]
    const broken = this.broken.map((one) => `${one.packageName} (${one.because})`)
    const hint = `known are: ${known.join(', ') || 'none'}; more come with c2m plugins install PACKAGE`
    return new C2mError('C2M_PLUGIN_UNKNOWN_ID', `no plugin contributes the ${kind} '${id}'`, {
      hint: broken.length === 0 ? hint : `${hint}; not loaded: ${broken.join(', ')}`,
      exitCode: 2,
    })
  }
}

function contributed(contribution: Contribution): Contributed {
  const { kind, id, summary } = contribution
  if (kind === 'distro') return { kind, id, summary }
  const { family, firmware, architectures } = contribution
  return { kind, id, summary, ...(family === undefined ? {} : { family }), firmware, architectures }
}

function key(kind: string, id: string): string {
  return `${kind}:${id}`
}

function describe(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
