import { plainText } from '@c2m/process'

/** The last lines that are not empty, indented, as an error message shows them. */
export function consoleTail(text: string, count = 30): string {
  const lines = plainText(text)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
  if (lines.length === 0) return '  (nothing was printed)'
  return lines
    .slice(-count)
    .map((line) => `  ${line.slice(0, 500)}`)
    .join('\n')
}
