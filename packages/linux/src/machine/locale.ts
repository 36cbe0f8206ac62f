export interface Locale {
  /** As LANG wants it, e.g. 'de_DE.UTF-8'. */
  readonly name: string
  /** The lines under which glibc's list of locales may have it, e.g. 'de_DE.UTF-8 UTF-8', 'sr_RS@latin UTF-8'. */
  readonly lines: readonly string[]
  /** Needs no data: C, POSIX, C.UTF-8. */
  readonly builtIn: boolean
}

/** language_TERRITORY.CODESET@modifier (locale(7)); without a codeset it is UTF-8. @throws when it cannot be one */
export function parseLocale(text: string): Locale {
  if (/^(?:C|POSIX|C\.(?:utf8|UTF-8))$/.test(text)) return { name: text, lines: [], builtIn: true }
  const parts = /^([a-z]{2,3}(?:_[A-Z]{2})?)(?:\.([A-Za-z0-9-]{1,20}))?(@[a-z]{1,20})?$/.exec(text)
  if (parts === null) throw new Error(`'${text}' is no locale; write it like de_DE.UTF-8 or C.UTF-8`)
  const [, place = '', codeset = 'UTF-8', modifier = ''] = parts
  const charset = /^utf-?8$/i.test(codeset) ? 'UTF-8' : codeset
  const name = `${place}.${charset}${modifier}`
  return { name, lines: [`${name} ${charset}`, `${place}${modifier} ${charset}`], builtIn: false }
}
