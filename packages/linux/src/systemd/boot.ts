import type { ConfigurationReader } from '../files/configuration-reader.js'
import { baseName, parentPath } from '../files/paths.js'
import type { UnitCatalog } from './catalog.js'
import { type Unit } from './catalog.js'
import { expandUnitNames } from './dependencies.js'
import { sysvServices } from './sysv.js'
import { unitFlag, unitList, unitValue } from './unit-file.js'
import { isUnitName, unitNameParts } from './unit-name.js'

/** What starts when the machine boots. */
export interface BootUnits {
  readonly services: readonly Unit[]
  /** Sockets with the service that each starts. */
  readonly sockets: readonly { readonly socket: Unit; readonly service: string }[]
  /** SysV scripts without a unit, which systemd-sysv-generator makes services: paths of the scripts by unit name. */
  readonly scripts: ReadonlyMap<string, string>
}

const MOST_UNITS = 5000

/**
 * Follows the default target as systemd does at boot: Wants=, Requires=, BindsTo= and Upholds= of units and the links in
 * their .wants, .requires and .upholds folders; sockets to their services. Timers, paths and D-Bus start nothing by
 * themselves. Conditions are not judged.
 */
export async function bootUnits(reader: ConfigurationReader, catalog: UnitCatalog): Promise<BootUnits> {
  const services = new Map<string, Unit>()
  const sockets = new Map<string, { socket: Unit; service: string }>()
  const scripts = new Map<string, string>()
  const generated = await generatedUnits(reader, catalog)
  const waiting = ['default.target']
  const seen = new Set(waiting)
  const visit = (name: string): void => {
    if (seen.has(name) || seen.size >= MOST_UNITS) return
    seen.add(name)
    waiting.push(name)
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const unit = await catalog.find(name)
    const script = generated.scripts.get(name)
    if (unit === undefined && script !== undefined) scripts.set(name, script)
    for (const by of [name, typeof unit === 'object' ? unit.name : name]) {
      for (const wanted of generated.wants.get(by) ?? []) visit(wanted)
    }
    if (typeof unit !== 'object') continue
    const { type } = unitNameParts(unit.name)
    if (type === 'service') services.set(unit.name, unit)
    if (type === 'socket') {
      const service = socketService(unit)
      sockets.set(unit.name, { socket: unit, service })
      if (!unitFlag(unit.file, 'Socket', 'Accept')) visit(service)
    }
    for (const next of await dependencies(catalog, unit, name)) visit(next)
  }
  return { services: [...services.values()], sockets: [...sockets.values()], scripts }
}

/** systemd.socket(5): Service=, else the same name; with Accept=yes a template, one instance for each connection. */
export function socketService({ name, file }: Unit): string {
  const own = unitValue(file, 'Socket', 'Service')
  if (own !== undefined && isUnitName(own)) return own
  const stem = name.slice(0, -'.socket'.length)
  return `${stem}${unitFlag(file, 'Socket', 'Accept') ? '@' : ''}.service`
}

async function dependencies(catalog: UnitCatalog, unit: Unit, alias: string): Promise<readonly string[]> {
  const inFile = ['Wants', 'Requires', 'BindsTo', 'Upholds'].flatMap((key) =>
    expandUnitNames(unit, unitList(unit.file, 'Unit', key)),
  )
  const links: (readonly string[])[] = []
  for (const name of new Set([unit.name, alias])) {
    for (const kind of ['wants', 'requires', 'upholds'] as const) links.push(await catalog.links(name, kind))
  }
  return [...inFile, ...links.flat()]
}

interface GeneratedUnits {
  readonly wants: ReadonlyMap<string, readonly string[]>
  readonly scripts: ReadonlyMap<string, string>
}

/** What the generators that matter here would make: systemd-sysv-generator and postgresql-common's for its clusters. */
async function generatedUnits(reader: ConfigurationReader, catalog: UnitCatalog): Promise<GeneratedUnits> {
  const wants = new Map<string, string[]>()
  const scripts = new Map<string, string>()
  const hasGenerator = async (name: string) =>
    (await reader.exists(`lib/systemd/system-generators/${name}`)) ||
    (await reader.exists(`usr/lib/systemd/system-generators/${name}`))
  if (await hasGenerator('systemd-sysv-generator')) {
    const ofScripts: string[] = []
    wants.set('multi-user.target', ofScripts)
    for (const { name, script } of await sysvServices(reader)) {
      const unit = `${name.replace(/\.sh$/, '')}.service`
      if (!isUnitName(unit) || (await catalog.find(unit)) !== undefined) continue
      scripts.set(unit, script)
      // as the generator does for runlevels 2 to 5
      ofScripts.push(unit)
    }
  }
  if (await hasGenerator('postgresql-generator')) {
    const clusters: string[] = []
    for (const path of await reader.matching('/etc/postgresql/*/*/postgresql.conf')) {
      const [version = '', cluster = ''] = path.split('/').slice(3, 5)
      const start = (await reader.text(`${parentPath(path)}/start.conf`)) ?? 'auto'
      const unit = `postgresql@${baseName(version)}-${cluster}.service`
      if (/^[ \t]*auto\b/m.test(start) && isUnitName(unit)) clusters.push(unit)
    }
    wants.set('postgresql.service', clusters)
  }
  return { wants, scripts }
}
