import type { ConfigurationReader } from '../../files/configuration-reader.js'

/** A service's start as its unit has it. */
export interface Start {
  /** Variables are put in. */
  readonly argv: readonly string[]
  readonly env: ReadonlyMap<string, string>
  /** Of 'foo@bar' 'bar'. */
  readonly instance: string | undefined
  /** Its program goes to the background by itself: Type=forking, or a SysV script. */
  readonly forks: boolean
  readonly reader: ConfigurationReader
}

export interface NeededDirectory {
  readonly path: string
  readonly mode: number
  /** Name or number; root without. */
  readonly user?: string
  readonly group?: string
}

/** The same service as a process that stays. */
export interface Foreground {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** user[:group]; without it, the unit's. */
  readonly user?: string
  readonly stopSignal?: string
  readonly directories?: readonly NeededDirectory[]
  /** Commands that come first. */
  readonly before?: readonly (readonly string[])[]
}

export interface ForegroundForm {
  /** Of the program's name, or of the service without instance and suffix. */
  readonly name: RegExp
  /** Undefined: as the unit has it. */
  form(start: Start): Promise<Foreground | undefined> | Foreground | undefined
}

/** argv without some options; those named with a value (true) take it with them, also as one word '--option=value'. */
export function withoutOptions(argv: readonly string[], options: Readonly<Record<string, boolean>>): readonly string[] {
  const kept: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    const name = word.startsWith('--') ? word.split('=')[0]! : word
    const takesValue = Object.hasOwn(options, name) ? options[name] : undefined
    if (takesValue === undefined) kept.push(word)
    else if (takesValue && word === name) at++
  }
  return kept
}

/** argv with a flag, unless it or a synonym is there. */
export function withFlag(argv: readonly string[], flag: string, synonyms: readonly string[] = []): readonly string[] {
  return [flag, ...synonyms].some((one) => argv.includes(one)) ? argv : [...argv, flag]
}
