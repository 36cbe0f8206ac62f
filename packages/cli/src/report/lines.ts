import { shown, visibleMessage } from '@c2m/process'

/** A report's lines as one text. What a machine or an image calls itself stays within its line. */
export function textOf(lines: readonly string[]): string {
  return lines.map(shown).join('\n')
}

/** A message's lines, of which an error may have several, such as the volumes that look alike. */
export function messageLines(text: string): string[] {
  return visibleMessage(text).split('\n')
}
