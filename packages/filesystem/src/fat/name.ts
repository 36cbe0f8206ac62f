/**
 * Names in a FAT directory: an 8.3 short name, and a long name (VFAT) where the short one is not the whole name.
 */
export interface FatName {
  /** 11 bytes: base and extension, upper case, padded with blanks. */
  readonly short: Uint8Array
  /** Byte 12 of the entry: base (0x08) or extension (0x10) is shown in lower case (Windows NT, Linux, EDK2). */
  readonly caseFlags: number
  /** Present when the short name does not stand for the whole name. */
  readonly long?: string
}

const LOWER_BASE = 0x08
const LOWER_EXTENSION = 0x10
const MAX_UNITS = 255
const SHORT_CHARACTER = /^[A-Z0-9$%'\-_@~`!(){}^#&]$/
const SHORT_NAME = /^([A-Z0-9$%'\-_@~`!(){}^#&]{1,8})(?:\.([A-Z0-9$%'\-_@~`!(){}^#&]{1,3}))?$/i

/** Why FAT cannot hold a name; undefined when it can. */
export function problemOfName(name: string): string | undefined {
  if (/\p{Surrogate}/u.test(name)) return 'is not valid UTF-8'
  const forbidden = /[\x00-\x1f\x7f"*/:<>?\\|]/.exec(name)?.[0]
  if (forbidden !== undefined) return `holds the character ${JSON.stringify(forbidden)}`
  if (/[. ]$/.test(name)) return 'ends in a dot or a blank'
  if (name.length === 0 || name.length > MAX_UNITS) return `is longer than ${MAX_UNITS} characters`
  return undefined
}

/** Two names with the same key are the same name on FAT. */
export function caseKey(name: string): string {
  // unit by unit, as the volume's upcase rule works: 'ß' is not 'SS'
  return [...name].map(upperCase).join('')
}

function upperCase(character: string): string {
  const upper = character.toUpperCase()
  return upper.length === character.length ? upper : character
}

/** Names for all entries of one directory, in their order. They must be free of problems and different by case key. */
export function assignNames(names: readonly string[]): FatName[] {
  const assigned = names.map(wholeShortName)
  // a made-up short name must not be another entry's name
  const taken = new Set([
    ...names.map(caseKey),
    ...assigned.flatMap((name) => (name === undefined ? [] : text(name.short))),
  ])
  const nextTail = new Map<string, number>()
  return names.map((name, index) => {
    const whole = assigned[index]
    if (whole !== undefined) return whole
    return { short: padded(withTail(name, taken, nextTail)), caseFlags: 0, long: name }
  })
}

/** Of a name that is an 8.3 name but for its case. */
function wholeShortName(name: string): FatName | undefined {
  const [, base, extension = ''] = SHORT_NAME.exec(name) ?? []
  if (base === undefined) return undefined
  const short = padded({ base: base.toUpperCase(), extension: extension.toUpperCase() })
  const baseCase = caseOf(base)
  const extensionCase = caseOf(extension)
  if (baseCase === 'mixed' || extensionCase === 'mixed') return { short, caseFlags: 0, long: name }
  const flags = (baseCase === 'lower' ? LOWER_BASE : 0) | (extensionCase === 'lower' ? LOWER_EXTENSION : 0)
  return { short, caseFlags: flags }
}

function caseOf(part: string): 'upper' | 'lower' | 'mixed' {
  if (part === part.toUpperCase()) return 'upper'
  return part === part.toLowerCase() ? 'lower' : 'mixed'
}

interface ShortParts {
  readonly base: string
  readonly extension: string
}

/** "The Basis-Name Generation Algorithm" and "The Numeric-Tail Generation Algorithm" of the specification. */
function withTail(name: string, taken: Set<string>, nextTail: Map<string, number>): ShortParts {
  const { base, extension } = basis(name)
  // names that begin alike share their numbers, so that a large directory does not count from 1 for each of them
  const alike = joined({ base: base.slice(0, 6), extension })
  for (let number = nextTail.get(alike) ?? 1; ; number++) {
    const tail = `~${number}`
    const parts = { base: base.slice(0, 8 - tail.length) + tail, extension }
    if (taken.has(joined(parts))) continue
    taken.add(joined(parts))
    nextTail.set(alike, number + 1)
    return parts
  }
}

function basis(name: string): ShortParts {
  const stripped = name.replaceAll(' ', '').replace(/^\.+/, '')
  const dot = stripped.lastIndexOf('.')
  const [base, extension] =
    dot === -1 ? [stripped, ''] : [stripped.slice(0, dot).replaceAll('.', ''), stripped.slice(dot + 1)]
  return { base: shortCharacters(base).slice(0, 8), extension: shortCharacters(extension).slice(0, 3) }
}

function shortCharacters(part: string): string {
  return [...part].map((character) => shortCharacter(character.toUpperCase())).join('')
}

function shortCharacter(upper: string): string {
  return SHORT_CHARACTER.test(upper) ? upper : '_'
}

function padded({ base, extension }: ShortParts): Uint8Array {
  return Buffer.from(base.padEnd(8) + extension.padEnd(3), 'latin1')
}

function joined({ base, extension }: ShortParts): string {
  return extension === '' ? base : `${base}.${extension}`
}

function text(short: Uint8Array): string {
  const name = Buffer.from(short).toString('latin1')
  return joined({ base: name.slice(0, 8).trimEnd(), extension: name.slice(8).trimEnd() })
}
