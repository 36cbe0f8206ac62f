import type { Rootfs, RootfsEdit } from '@c2m/plugin-api'
import { baseName, joinPath } from '../files/paths.js'
import { readText, TEXT_LIMITS } from '../files/read.js'
import { makeSymlink } from '../files/write.js'
import { parseUnitFile, unitList, type UnitFile } from './unit-file.js'
import { templateOf } from './unit-name.js'

/** Where systemd looks for system units (systemd.unit(5)), first match first. */
export const UNIT_FOLDERS = [
  'etc/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
]
export const SYSTEM_UNITS = 'etc/systemd/system'

/** Absolute path of the file of a unit, of its template for an instance; undefined when the tree has none. */
export async function findUnit(rootfs: Rootfs, name: string): Promise<string | undefined> {
  checkUnitName(name)
  const template = templateOf(name)
  for (const candidate of template === undefined ? [name] : [name, template]) {
    for (const folder of UNIT_FOLDERS) {
      const path = joinPath(folder, candidate)
      const target = await rootfs.resolve(path)
      if (target !== undefined && (await rootfs.stat(target))?.type === 'file') return `/${path}`
    }
  }
  return undefined
}

/**
 * What `systemctl enable` does: reads [Install] of the unit and makes its links below /etc/systemd/system.
 * @returns false when the tree has no such unit
 * @throws when the unit's [Install] names something that is no unit
 */
export async function enableUnit(edit: RootfsEdit, name: string): Promise<boolean> {
  return enable(edit, name, new Set())
}

async function enable(edit: RootfsEdit, name: string, done: Set<string>): Promise<boolean> {
  const path = await findUnit(edit, name)
  if (path === undefined) return false
  if (done.has(name)) return true
  done.add(name)
  const unit = parseUnitFile((await readText(edit, path, TEXT_LIMITS.unit)) ?? '')
  const instance = instanceOf(name, unit)
  const install = (key: string) => unitList(unit, 'Install', key).map((word) => expand(word, instance))
  for (const [key, suffix] of [
    ['WantedBy', 'wants'],
    ['RequiredBy', 'requires'],
    ['UpheldBy', 'upholds'],
  ] as const) {
    for (const by of install(key)) {
      await makeSymlink(edit, joinPath(SYSTEM_UNITS, `${checkUnitName(by)}.${suffix}`, instance), path)
    }
  }
  for (const alias of install('Alias')) {
    if (alias !== baseName(path)) await makeSymlink(edit, joinPath(SYSTEM_UNITS, checkUnitName(alias)), path)
  }
  for (const also of install('Also')) await enable(edit, also, done)
  return true
}

/** Links a unit to /dev/null, so that nothing starts it. */
export async function maskUnit(edit: RootfsEdit, name: string): Promise<void> {
  await makeSymlink(edit, joinPath(SYSTEM_UNITS, checkUnitName(name)), '/dev/null')
}

/** Undoes a mask; a link that is none stays. */
export async function unmaskUnit(edit: RootfsEdit, name: string): Promise<void> {
  const path = joinPath(SYSTEM_UNITS, checkUnitName(name))
  const entry = await edit.stat(path)
  const isMask =
    entry?.type === 'symlink' ? entry.linkTarget === '/dev/null' : entry?.type === 'file' && entry.size === 0
  if (isMask) await edit.remove(path)
}

function checkUnitName(name: string): string {
  if (/^[A-Za-z0-9:_.\\@-]{1,255}$/.test(name) && !/^\.+$/.test(name)) return name
  throw new Error(`'${name.slice(0, 60)}' is no name of a systemd unit`)
}

/** A template itself is enabled as its DefaultInstance. */
function instanceOf(name: string, unit: UnitFile): string {
  const [standard] = unitList(unit, 'Install', 'DefaultInstance')
  return /@\.[a-z]+$/.test(name) && standard !== undefined ? checkUnitName(name.replace('@.', `@${standard}.`)) : name
}

/** The specifiers of systemd.unit(5) that make sense in [Install]. */
function expand(word: string, unit: string): string {
  const stem = unit.replace(/\.[a-z]+$/, '')
  const [prefix = '', instance = ''] = stem.split('@')
  const values: Record<string, string> = { n: unit, N: stem, p: prefix, i: instance, '%': '%' }
  return word.replace(/%(.)/g, (whole, letter: string) => values[letter] ?? whole)
}
