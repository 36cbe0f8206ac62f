const SUFFIXES = 'service|socket|target|device|mount|automount|swap|timer|path|slice|scope'
const NAME = new RegExp(`^[A-Za-z0-9:_.\\\\@-]{1,240}\\.(?:${SUFFIXES})$`)

/** systemd.unit(5): valid characters and a suffix. */
export function isUnitName(name: string): boolean {
  return NAME.test(name) && !name.startsWith('@') && !/^\.+$/.test(name)
}

export interface UnitNameParts {
  /** What is before the '@', or before the suffix. */
  readonly prefix: string
  /** Of 'foo@bar.service' 'bar', of a template '', of others undefined. */
  readonly instance: string | undefined
  /** Without the dot. */
  readonly type: string
}

export function unitNameParts(name: string): UnitNameParts {
  const dot = name.lastIndexOf('.')
  const stem = dot < 0 ? name : name.slice(0, dot)
  const at = stem.indexOf('@')
  return {
    prefix: at < 0 ? stem : stem.slice(0, at),
    instance: at < 0 ? undefined : stem.slice(at + 1),
    type: dot < 0 ? '' : name.slice(dot + 1),
  }
}

/** 'getty@tty1.service' → 'getty@.service'; undefined for what is no instance. */
export function templateOf(name: string): string | undefined {
  const { prefix, instance, type } = unitNameParts(name)
  return instance === undefined || instance === '' ? undefined : `${prefix}@.${type}`
}

/** Gives a template's name an instance; other names stay as they are. */
export function withInstance(name: string, instance: string | undefined): string {
  const parts = unitNameParts(name)
  if (parts.instance !== '' || instance === undefined || instance === '') return name
  return `${parts.prefix}@${instance}.${parts.type}`
}

/** systemd.unit(5), "String escaping for inclusion in unit names", undone: '-' is '/', '\xNN' a byte. */
export function unescapeUnitName(text: string): string {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const code = /^\\x([0-9a-fA-F]{2})/.exec(text.slice(at, at + 4))?.[1]
    if (code !== undefined) {
      bytes.push(Number.parseInt(code, 16))
      at += 3
    } else bytes.push(...Buffer.from(text[at] === '-' ? '/' : text[at]!))
  }
  return Buffer.from(bytes).toString()
}
