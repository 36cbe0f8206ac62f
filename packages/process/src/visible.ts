/**
 * Controls of ASCII (C0 and DEL) and ISO 6429 (C1), which a terminal acts upon; line and paragraph separators; and what
 * has no shape of its own but reorders or hides what is beside it: format characters, bidirectional controls (UAX #9)
 * among them, and what a display may ignore (UAX #44).
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const UNSEEN_BUT_LINES_AND_TABS = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** A name that somebody else chose (a path, a label), for a message: without anything that would end its line, move a cursor or reorder the text. */
export function shown(name: string): string {
  return name.replace(UNSEEN, escape)
}

/** A text as a terminal shows it: its lines and tabs stay, every other character without a shape is written as \xNN, \uNNNN or \u{N…}. */
export function visible(text: string): string {
  return text.replace(UNSEEN_BUT_LINES_AND_TABS, escape)
}

/** A message that is one of several: lines after its first are indented, so that none looks like a message of its own. */
export function visibleMessage(text: string): string {
  return visible(text).replace(/\n(?! {2})/g, '\n  ')
}

/** JSON in which such characters are escaped, so that it may be shown in a terminal, too. */
export function visibleJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(UNSEEN_BUT_LINES_AND_TABS, (character) =>
    character
      .split('')
      .map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)
      .join(''),
  )
}

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${hex(code, 2)}`
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
