/** '24.04' → [24, 4]; undefined when the text is not numbers with dots between them. */
export function parseVersion(text: string | undefined): readonly number[] | undefined {
  if (text === undefined || !/^\d{1,9}(?:\.\d{1,9}){0,7}$/.test(text)) return undefined
  return text.split('.').map(Number)
}

/** Number by number; a missing number counts as 0. Negative when `a` is older. */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Kernel releases as a person orders them, '6.1.0-9-amd64' before '6.1.0-10-amd64': runs of digits by their number, what
 * is between them by character, with '~' before everything (deb-version(7)). Negative when `a` is older.
 */
export function compareReleases(a: string, b: string): number {
  const left = tokens(a)
  const right = tokens(b)
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = compareToken(left[i] ?? '', right[i] ?? '')
    if (difference !== 0) return difference
  }
  return a < b ? -1 : a > b ? 1 : 0
}

/** Alternately text and digits, beginning with text. */
function tokens(release: string): readonly string[] {
  return release.split(/(\d+)/)
}

function compareToken(a: string, b: string): number {
  if (/^\d+$/.test(a) && /^\d+$/.test(b)) {
    const difference = BigInt(a) - BigInt(b)
    return difference < 0n ? -1 : difference > 0n ? 1 : 0
  }
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = rank(a[i]) - rank(b[i])
    if (difference !== 0) return difference
  }
  return 0
}

function rank(character: string | undefined): number {
  if (character === undefined) return 0
  if (character === '~') return -1
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 0x100
}
