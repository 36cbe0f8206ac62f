import { grubError } from './error.js'

/** Words that both GRUB's script language and a POSIX shell take as they are, as arguments. */
const PLAIN_WORD = /^[A-Za-z0-9_/.,:=@%+-]+$/

/** C0 and C1 control characters and lone surrogates: what no line of a configuration file can carry. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cs}]/u

/**
 * One argument of a GRUB script command, quoted when it needs it. Inside single quotes GRUB takes every character
 * literally up to the next single quote (GRUB manual, "Quoting"), as a POSIX shell does, so this serves both.
 */
export function quoteWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : quote(text)
}

/** Always in single quotes. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text)
}

/** Characters of a name that a menu shows on one line. */
const MAX_TITLE = 100

/** A name for a menu: control characters become spaces, and what no screen shows is cut off. */
export function menuTitle(name: string): string {
  const title = name.replace(new RegExp(UNPRINTABLE, 'gu'), ' ').replace(/ +/g, ' ').trim()
  return title === '' ? 'Linux' : Array.from(title).slice(0, MAX_TITLE).join('')
}

/**
 * Words of the kernel command line as one line of GRUB script.
 *
 * GRUB's linux command puts double quotes around an argument with spaces and a backslash before every quote and
 * backslash of it, and the kernel does not understand the backslash. So the kernel's own quotes (`name="a b"` and
 * `"name=a b"`) are taken off here and put on again by GRUB, and what cannot pass is refused.
 *
 * @throws C2M_GRUB_CMDLINE
 */
export function kernelArguments(words: readonly string[]): string {
  return words
    .filter((word) => word !== '')
    .map((word) => quoteWord(withoutKernelQuotes(word)))
    .join(' ')
}

function withoutKernelQuotes(word: string): string {
  const bare = /^([^"= ]+=)?"([^"]*)"$/.exec(word)
  const text = bare === null ? word : `${bare[1] ?? ''}${bare[2] ?? ''}`
  if (isPrintable(text) && !/["'\\]/.test(text)) return text
  throw grubError(
    'C2M_GRUB_CMDLINE',
    `the word ${JSON.stringify(word)} of the kernel command line cannot be passed through GRUB`,
    'leave out quotes, backslashes and control characters; double quotes are possible around a whole value only: name="a b"',
    2,
  )
}
