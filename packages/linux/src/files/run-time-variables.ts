/**
 * Places in the words of a command that a shell fills when the command runs. A NUL marks them, which no argument can hold
 * (execve(2)), so nothing else looks like one.
 */
const PLACE = /\0(\*?)([A-Za-z_]\w*)\0/g

/** The place of a variable's value within a word. */
export function runTimeVariable(name: string): string {
  return `\0${name}\0`
}

/** The place of as many words as a variable's value has, as a word of its own. */
export function runTimeWords(name: string): string {
  return `\0*${name}\0`
}

/** Names of the variables that have places in a command. */
export function runTimeNames(argv: readonly string[]): readonly string[] {
  return [...new Set(argv.flatMap((word) => [...word.matchAll(PLACE)].map(([, , name = '']) => name)))]
}

/** For the user: the places as a unit has them. */
export function withNames(word: string): string {
  return word.replace(PLACE, (_place, words: string, name: string) => (words === '' ? `\${${name}}` : `$${name}`))
}

/** As if the variables were not set. */
export function withoutPlaces(argv: readonly string[]): readonly string[] {
  return argv.map((word) => word.replace(PLACE, '')).filter((word, at) => word !== '' || argv[at]?.[1] !== '*')
}

/**
 * A word as a POSIX shell reads it (Shell Command Language, 2.2 and 2.6), places as its variables: those that may become
 * several words split at blanks.
 */
export function shellWord(word: string): string {
  let text = ''
  let at = 0
  for (const { index, 0: place, 1: words, 2: name } of word.matchAll(PLACE)) {
    text += quoted(word.slice(at, index)) + (words === '*' ? `$${name}` : `"\${${name}}"`)
    at = index + place.length
  }
  return word === '' ? "''" : text + quoted(word.slice(at))
}

function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
