import { unescapeUnitName, unitNameParts } from './unit-name.js'

/** What systemd's specifiers stand for besides the unit's own name. */
export interface SpecifierContext {
  /** The unit's full name. */
  readonly unit: string
  /** Path of the unit's file. */
  readonly fragment: string
  /** systemd's name of the architecture, e.g. 'x86-64'. */
  readonly architecture: string
  readonly hostname: string
  readonly osRelease: ReadonlyMap<string, string>
}

/** Characters of a line with its specifiers put in: systemd takes no longer line (systemd.syntax(7)). */
const LONGEST_LINE = 1024 * 1024

/** A specifier of systemd.unit(5) whose value only a running machine has. */
export class UnknownSpecifier extends Error {
  constructor(specifier: string) {
    super(`it uses ${specifier}, whose value only a running machine has`)
  }
}

/**
 * Expands the specifiers of systemd.unit(5), as for the system's manager.
 * @throws UnknownSpecifier for those that depend on a running machine: %b, %d, %m, %v; when the line becomes too long
 */
export function expandSpecifiers(text: string, context: SpecifierContext): string {
  let length = text.length
  const known = new Map<string, string>()
  return text.replace(/%(.)/gsu, (whole, letter: string) => {
    if (/[bdmv]/.test(letter)) throw new UnknownSpecifier(whole)
    const value = known.get(letter) ?? valueOf(letter, context) ?? whole
    known.set(letter, value)
    length += value.length
    if (length > LONGEST_LINE) throw new Error(`a line of it has more than ${LONGEST_LINE} characters`)
    return value
  })
}

function valueOf(letter: string, context: SpecifierContext): string | undefined {
  const { prefix, instance = '' } = unitNameParts(context.unit)
  const last = prefix.slice(prefix.lastIndexOf('-') + 1)
  const os = (field: string) => context.osRelease.get(field) ?? ''
  const values: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    a: () => context.architecture,
    A: () => os('IMAGE_VERSION'),
    B: () => os('BUILD_ID'),
    C: () => '/var/cache',
    D: () => '/usr/share',
    E: () => '/etc',
    f: () => `/${unescapeUnitName(instance === '' ? prefix : instance).replace(/^\/+/, '')}`,
    g: () => 'root',
    G: () => '0',
    h: () => '/root',
    H: () => context.hostname,
    i: () => instance,
    I: () => unescapeUnitName(instance),
    j: () => last,
    J: () => unescapeUnitName(last),
    l: () => context.hostname.split('.')[0] ?? '',
    L: () => '/var/log',
    M: () => os('IMAGE_ID'),
    n: () => context.unit,
    N: () => context.unit.slice(0, Math.max(0, context.unit.lastIndexOf('.'))),
    o: () => os('ID'),
    p: () => prefix,
    P: () => unescapeUnitName(prefix),
    q: () => context.hostname,
    s: () => '/bin/sh',
    S: () => '/var/lib',
    t: () => '/run',
    T: () => '/tmp',
    u: () => 'root',
    U: () => '0',
    V: () => '/var/tmp',
    w: () => os('VERSION_ID'),
    W: () => os('VARIANT_ID'),
    y: () => context.fragment,
    Y: () => context.fragment.slice(0, Math.max(0, context.fragment.lastIndexOf('/'))),
  }
  return values[letter]?.()
}
