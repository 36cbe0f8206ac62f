/** C escapes of systemd.syntax(7), "Quoting"; '\s' is a space. */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** A word with what it looked like before quotes and escapes were taken away. */
export interface Word {
  readonly text: string
  readonly source: string
}

/**
 * Splits at blanks as systemd does (systemd.syntax(7), "Quoting"): quotes hold words together, backslash escapes are C's. An
 * escape that is none stays as it stands.
 * @throws when a quote is left open
 */
export function splitWords(text: string): readonly Word[] {
  const words: Word[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const start = at
    let value = ''
    let quote = ''
    for (; at < text.length && (quote !== '' || !/\s/.test(text[at]!)); at++) {
      const character = text[at]!
      if (character === '\\') {
        const escape = readEscape(text, at)
        value += escape.value
        at += escape.length - 1
      } else if (character === quote) quote = ''
      else if (quote === '' && (character === '"' || character === "'")) quote = character
      else value += character
    }
    if (quote !== '') throw new Error(`a quote (${quote}) is left open in '${text.slice(0, 200)}'`)
    words.push({ text: value, source: text.slice(start, at) })
  }
  return words
}

function readEscape(text: string, at: number): { value: string; length: number } {
  const rest = text.slice(at + 1, at + 10)
  const simple = ESCAPES[rest[0] ?? '']
  if (simple !== undefined) return { value: simple, length: 2 }
  const code =
    /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest) ?? /^()()()([0-3][0-7]{2})/.exec(rest)
  if (code !== null) {
    const [all, byte, short, long, octal] = code
    const point = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8)
    if (point > 0 && point <= 0x10ffff) return { value: String.fromCodePoint(point), length: all.length + 1 }
  }
  return { value: '\\', length: 1 }
}
