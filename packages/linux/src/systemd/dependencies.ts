import type { Unit } from './catalog.js'
import { expandSpecifiers } from './specifiers.js'
import { isUnitName } from './unit-name.js'

/** Names of units that a unit names, with its specifiers put in; what is none, or only a running machine knows, is left out. */
export function expandUnitNames(unit: Unit, words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    try {
      const context = { unit: unit.name, fragment: unit.path, architecture: '', hostname: '', osRelease: new Map() }
      const name = word.includes('%') ? expandSpecifiers(word, context) : word
      return isUnitName(name) ? [name] : []
    } catch {
      return []
    }
  })
}
