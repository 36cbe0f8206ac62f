import type { ByteString } from '../files/write.js'

/**
 * The files of passwd(5), shadow(5), group(5) and gshadow(5): one record a line, fields between colons, the name first.
 * Lines that are none (comments, NIS's '+', blank ones) are kept as they are.
 */
export function findRecord(text: ByteString, name: string): readonly string[] | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name}:`))
  return line?.split(':')
}

export function allRecords(text: ByteString): readonly (readonly string[])[] {
  return text.split('\n').flatMap((line) => (isRecord(line) ? [line.split(':')] : []))
}

export function isRecord(line: string): boolean {
  return /^[^#:\s][^:]*:/.test(line)
}

/** Sets one field of the first record with this name; the text is unchanged when there is none. */
export function setField(text: ByteString, name: string, index: number, value: string): ByteString {
  checkField(value)
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`${name}:`))
  if (at === -1) return text
  const fields = (lines[at] ?? '').split(':')
  while (fields.length <= index) fields.push('')
  fields[index] = value
  lines[at] = fields.join(':')
  return lines.join('\n')
}

export function appendRecord(text: ByteString, fields: readonly string[]): ByteString {
  fields.forEach(checkField)
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return `${start}${fields.join(':')}\n`
}

function checkField(value: string): void {
  if (/[:\n\r\0]/.test(value)) throw new Error('a field of an account file must not hold a colon or a line break')
}
