/** Escape sequences of ECMA-48: CSI (5.4), the control strings OSC, DCS, SOS, PM, APC (5.6), and the short ones (5.3). */
const ESCAPE_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g

/** What another program printed, safe to show in a terminal or a log: without escape sequences and control characters. */
export function plainText(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/\r+\n?/g, (found) => (found.endsWith('\n') ? '\n' : '\n'.repeat(found.length)))
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
}
