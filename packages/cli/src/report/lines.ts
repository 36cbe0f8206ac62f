import { C2mError, fileError, isC2mError, shown, visibleMessage } from '@c2m/process'
import type { UsedConfig } from '../config/defaults.js'

/** A report's lines as one text. What a machine or an image calls itself stays within its line. */
export function textOf(lines: readonly string[]): string {
  return lines.map(shown).join('\n')
}

/** A message's lines, of which an error may have several, such as the volumes that look alike. */
export function messageLines(text: string): string[] {
  return visibleMessage(text).split('\n')
}

export function configText({ file, keys }: UsedConfig): string {
  return `configuration ${shown(file)}: ${keys.map(shown).join(', ')}`
}

/** Why keys of a configuration do not count. */
export function ignoredText(file: string, keys: readonly string[]): string {
  const [many, count, them] = keys.length === 1 ? ['key', 'counts', 'it'] : ['keys', 'count', 'them']
  const listed = keys.map(shown).join(', ')
  return `the ${many} ${listed} of ${shown(file)} ${count} only in a file that is named; --config ${shown(file)} makes ${them} count`
}

/** An error as people read it. */
export function errorText({ message, hint, code }: C2mError): string {
  const lines = [`error: ${visibleMessage(message)}`, ...(hint === undefined ? [] : [`  → ${visibleMessage(hint)}`])]
  return [...lines, `  (${code})`].join('\n')
}

/** What is not c2m's own error is a bug. */
export function namedError(error: unknown): C2mError {
  if (isC2mError(error)) return error
  const { syscall = 'use', path = 'a file' } = error as NodeJS.ErrnoException
  const ofFile = fileError(error, path, syscall)
  if (isC2mError(ofFile)) return ofFile
  const text = error instanceof Error ? error.message : String(error)
  return new C2mError('C2M_BUG', `this should not happen: ${text.trim()}`, {
    hint: 'DEBUG=* shows where; please report it with the command that you gave',
    cause: error,
  })
}
