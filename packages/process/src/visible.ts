/** Control characters of ASCII (C0 and DEL) and ISO 6429 (C1), which a terminal acts upon. */
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g
const CONTROL_WITHIN_TEXT = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g

/** A name that somebody else chose (a path, a label), for a message: without anything that would end its line or move a cursor. */
export function shown(name: string): string {
  return name.replace(CONTROL, escape)
}

/** A text as a terminal shows it: its lines and tabs stay, every other control character is written as \xNN. */
export function visible(text: string): string {
  return text.replace(CONTROL_WITHIN_TEXT, escape)
}

/** A message that is one of several: lines after its first are indented, so that none looks like a message of its own. */
export function visibleMessage(text: string): string {
  return visible(text).replace(/\n(?! {2})/g, '\n  ')
}

function escape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
