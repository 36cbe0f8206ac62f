import type { ConfigurationReader } from '../files/configuration-reader.js'
import { baseName, joinPath, parentPath } from '../files/paths.js'
import { parseUnitFile, type UnitFile } from './unit-file.js'
import { isUnitName, templateOf, unitNameParts, withInstance } from './unit-name.js'
import { UNIT_FOLDERS } from './units.js'

export interface Unit {
  /** Its own name, when it was asked for by an alias. */
  readonly name: string
  /** Absolute path of its file. */
  readonly path: string
  /** The file with its drop-ins. */
  readonly file: UnitFile
}

export type FoundUnit = Unit | 'masked' | undefined

const MOST_ALIASES = 10
const MOST_DROP_INS = 200

/** The units of a machine's system manager, read when asked for. */
export class UnitCatalog {
  readonly #reader: ConfigurationReader
  readonly #units = new Map<string, Promise<FoundUnit>>()

  constructor(reader: ConfigurationReader) {
    this.#reader = reader
  }

  /** A unit by its name or an alias, of a template for an instance. */
  async find(name: string): Promise<FoundUnit> {
    if (!isUnitName(name)) return undefined
    let found = this.#units.get(name)
    if (found === undefined) {
      found = this.#find(name, [name])
      this.#units.set(name, found)
    }
    return found
  }

  /** Names in NAME.wants, .requires or .upholds of all unit folders, for an instance also in its template's. */
  async links(name: string, kind: 'wants' | 'requires' | 'upholds'): Promise<readonly string[]> {
    const { instance } = unitNameParts(name)
    const found = new Set<string>()
    for (const owner of [name, templateOf(name)]) {
      if (owner === undefined) continue
      for (const folder of UNIT_FOLDERS) {
        for (const link of await this.#reader.list(joinPath(folder, `${owner}.${kind}`))) {
          if (isUnitName(link)) found.add(withInstance(link, instance))
        }
      }
    }
    return [...found]
  }

  async #find(name: string, aliases: readonly string[]): Promise<FoundUnit> {
    for (const candidate of [name, templateOf(name)]) {
      if (candidate === undefined) continue
      for (const folder of UNIT_FOLDERS) {
        const path = joinPath(folder, candidate)
        const entry = await this.#reader.rootfs.stat(path)
        if (entry === undefined) continue
        if (entry.type === 'symlink') {
          const target = await this.#follow(path)
          if (target === undefined) continue
          if (target === 'dev/null') return 'masked'
          // a link to a unit of another name makes this an alias; to a file of this name elsewhere, it is that file
          const real = withInstance(baseName(target), unitNameParts(name).instance)
          if (real !== name && isUnitName(real) && aliases.length < MOST_ALIASES) {
            return aliases.includes(real) ? undefined : this.#find(real, [...aliases, real])
          }
        } else if (entry.type !== 'file') continue
        else if (entry.size === 0) return 'masked'
        const text = await this.#reader.text(path)
        if (text === undefined) continue
        return { name, path: `/${path}`, file: parseUnitFile(text, ...(await this.#dropIns(aliases))) }
      }
    }
    return undefined
  }

  /** Where a link leads, also when nothing is there: an image's tree has no /dev/null. */
  async #follow(path: string): Promise<string | undefined> {
    let at = path
    for (let hops = 0; hops < MOST_ALIASES; hops++) {
      const entry = await this.#reader.rootfs.stat(at)
      if (entry?.type !== 'symlink') return at
      const target = entry.linkTarget ?? ''
      at = normalize(target.startsWith('/') ? target : `${parentPath(entry.path)}/${target}`)
    }
    return undefined
  }

  /**
   * systemd.unit(5): NAME.d of the unit and its aliases, of the template, of every 'foo-.service' above 'foo-bar.service', and
   * of the type; by file name, and of two with one name the more specific.
   */
  async #dropIns(names: readonly string[]): Promise<readonly string[]> {
    const files = new Map<string, string>()
    for (const owner of names.toReversed().flatMap(dropInOwners)) {
      for (const folder of UNIT_FOLDERS) {
        const place = joinPath(folder, `${owner}.d`)
        for (const file of await this.#reader.list(place)) {
          if (file.endsWith('.conf') && !files.has(file)) files.set(file, joinPath(place, file))
        }
      }
    }
    const texts: string[] = []
    for (const [, path] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MOST_DROP_INS)) {
      texts.push((await this.#reader.text(path)) ?? '')
    }
    return texts
  }
}

function dropInOwners(name: string): readonly string[] {
  const { prefix, type } = unitNameParts(name)
  const owners = [name, templateOf(name) ?? name]
  for (let end = prefix.lastIndexOf('-'); end > 0; end = prefix.lastIndexOf('-', end - 1)) {
    owners.push(`${prefix.slice(0, end)}-.${type}`)
  }
  return [...owners, type]
}

function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
