/** One part of a glob, between two slashes: what it asks of one name. */
export type NameToken =
  | { readonly kind: 'character'; readonly value: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }

/** Reads '*', '?', '[a-z]', '[!a-z]' and backslash escapes (glob(7)); a '[' that nothing closes stands for itself. */
export function parseNamePattern(text: string): readonly NameToken[] {
  const characters = [...text]
  const tokens: NameToken[] = []
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!
    if (character === '*') {
      if (tokens.at(-1)?.kind !== 'any') tokens.push({ kind: 'any' })
    } else if (character === '?') tokens.push({ kind: 'one' })
    else if (character === '\\' && at + 1 < characters.length) {
      tokens.push({ kind: 'character', value: characters[++at]! })
    } else {
      const found = character === '[' ? parseClass(characters, at) : undefined
      tokens.push(found?.token ?? { kind: 'character', value: character })
      at = found?.end ?? at
    }
  }
  return tokens
}

function parseClass(characters: readonly string[], start: number): { token: NameToken; end: number } | undefined {
  let at = start + 1
  const negated = characters[at] === '!' || characters[at] === '^'
  if (negated) at++
  const ranges: [number, number][] = []
  for (const first = at; at < characters.length; at++) {
    // a ']' in the first place is a member
    if (characters[at] === ']' && at > first) return { token: { kind: 'class', negated, ranges }, end: at }
    if (characters[at] === '\\') at++
    const from = characters[at]
    if (from === undefined) return undefined
    const isRange = characters[at + 1] === '-' && characters[at + 2] !== undefined && characters[at + 2] !== ']'
    const to = isRange ? characters[at + 2]! : from
    ranges.push([from.codePointAt(0)!, to.codePointAt(0)!])
    if (isRange) at += 2
  }
  return undefined
}

/** The name that a pattern without wildcards stands for. */
export function literalOf(tokens: readonly NameToken[]): string | undefined {
  let name = ''
  for (const token of tokens) {
    if (token.kind !== 'character') return undefined
    name += token.value
  }
  return name
}

/**
 * At most (characters of the name) × (tokens) steps: after a mismatch only the last '*' takes one character more, as what
 * an earlier one took can stay as short as it was.
 */
export function matchesName(tokens: readonly NameToken[], name: string): boolean {
  const characters = [...name]
  let at = 0
  let token = 0
  let star = -1
  let starAt = 0
  while (at < characters.length) {
    const wanted = tokens[token]
    if (wanted?.kind === 'any') {
      star = token++
      starAt = at
    } else if (wanted !== undefined && matchesCharacter(wanted, characters[at]!)) {
      token++
      at++
    } else if (star >= 0) {
      token = star + 1
      at = ++starAt
    } else return false
  }
  while (tokens[token]?.kind === 'any') token++
  return token === tokens.length
}

function matchesCharacter(token: NameToken, character: string): boolean {
  if (token.kind === 'character') return token.value === character
  if (token.kind !== 'class') return token.kind === 'one'
  const point = character.codePointAt(0)!
  return token.ranges.some(([from, to]) => point >= from && point <= to) !== token.negated
}
