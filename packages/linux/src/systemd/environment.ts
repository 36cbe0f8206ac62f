import { splitWords } from './words.js'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const MOST = 2000

/** Environment= (systemd.exec(5)): words of NAME=value; what is none is ignored. */
export function parseEnvironment(value: string, expand: (text: string) => string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const { text } of splitWords(value)) {
    const [, name = '', content = ''] = /^([^=]*)=([\s\S]*)$/.exec(expand(text)) ?? []
    if (NAME.test(name) && variables.size < MOST) variables.set(name, content)
  }
  return variables
}

/**
 * A file of EnvironmentFile= (systemd.exec(5)): NAME=value lines; '#' and ';' begin comments; a backslash at a line's end
 * joins lines; '…' as it stands, in "…" a backslash protects '"', '\', '`' and '$'; both may go over lines. No variable is
 * expanded.
 */
export function parseEnvironmentFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  let at = 0
  const skipLine = (): void => {
    const end = text.indexOf('\n', at)
    at = end < 0 ? text.length : end + 1
  }
  while (at < text.length && variables.size < MOST) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const [head, name] = /^([A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=[^\S\n]*/.exec(text.slice(at, at + 1000)) ?? []
    if (head === undefined || name === undefined) {
      skipLine()
      continue
    }
    const { value, end } = readValue(text, at + head.length)
    variables.set(name, value)
    at = end
  }
  return variables
}

function readValue(text: string, from: number): { value: string; end: number } {
  let value = ''
  let kept = 0
  let quote = ''
  // quotes mean something where a value begins and after a quoted part, not within plain text
  let isPlain = false
  let at = from
  for (; at < text.length; at++) {
    const character = text[at]!
    if (quote === '' && character === '\n') break
    if (character === '\\' && quote !== "'") {
      const next = text[++at] ?? ''
      if (next === '\n') continue
      value += quote === '"' && !/["\\`$]/.test(next) ? `\\${next}` : next
      kept = value.length
      isPlain = quote === ''
    } else if (quote !== '') {
      if (character === quote) quote = ''
      else value += character
      kept = value.length
    } else if (!isPlain && (character === '"' || character === "'")) quote = character
    else if (isPlain || !/\s/.test(character)) {
      isPlain = true
      value += character
      // blanks at the end of a value count only within quotes
      if (!/\s/.test(character)) kept = value.length
    }
  }
  return { value: value.slice(0, kept), end: at + 1 }
}
