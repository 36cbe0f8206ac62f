/** Escape sequences of ECMA-48: CSI (5.4), the control strings OSC, DCS, SOS, PM, APC (5.6), and the short ones (5.3). */
const ESCAPE_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g

/** What a guest printed, safe to show in a terminal or a log: without escape sequences and control characters. */
export function plainText(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/\r+\n/g, '\n')
    .replace(/\r/g, '\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
}

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
