/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case, e.g. 'bearer'. */
  readonly scheme: string
  /** Names lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const MAX_HEADER = 16 * 1024

/**
 * Parses `Bearer realm="…",service="…",scope="a,b", Basic realm="…"`: several challenges, quoted strings with escapes.
 * What cannot be understood is left out, for a server may offer schemes that c2m does not know.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, MAX_HEADER)
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let position = 0

  const skip = (characters: string) => {
    while (position < text.length && characters.includes(text[position]!)) position++
  }
  const token = (): string | undefined => {
    TOKEN.lastIndex = position
    const found = TOKEN.exec(text)?.[0]
    if (found !== undefined) position += found.length
    return found
  }
  const value = (): string | undefined => {
    if (text[position] !== '"') return token()
    let result = ''
    for (position++; position < text.length && text[position] !== '"'; position++) {
      if (text[position] === '\\') position++
      result += text[position] ?? ''
    }
    position++ // the closing quote
    return result
  }

  while (position < text.length) {
    skip(' \t,')
    const name = token()
    if (name === undefined) {
      position++
      continue
    }
    skip(' \t')
    if (text[position] !== '=') {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() })
      continue
    }
    position++
    skip(' \t')
    const found = value()
    const challenge = challenges.at(-1)
    if (found !== undefined && challenge !== undefined && !challenge.parameters.has(name.toLowerCase())) {
      challenge.parameters.set(name.toLowerCase(), found)
    }
  }
  return challenges
}
