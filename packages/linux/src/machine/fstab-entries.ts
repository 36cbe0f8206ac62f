/** One line of fstab(5), with its octal escapes resolved. */
export interface FstabEntry {
  /** Device, 'UUID=…', 'LABEL=…', 'PARTUUID=…', 'PARTLABEL=…', a network location, or a word such as 'tmpfs'. */
  readonly source: string
  /** Mount point, absolute; 'none' or 'swap' for what has none. */
  readonly target: string
  readonly type: string
  readonly options: readonly string[]
}

/** More lines than any administrator writes. */
const MOST_LINES = 1000

/** The entries of a fstab(5); lines that are none are left out. */
export function parseFstab(text: string): FstabEntry[] {
  const entries: FstabEntry[] = []
  for (const line of text.split('\n').slice(0, MOST_LINES)) {
    const [source = '', target = '', type = 'auto', options = 'defaults'] = line.trim().split(/\s+/)
    if (source === '' || source.startsWith('#') || target === '') continue
    entries.push({ source: unquote(unescape(source)), target: unescape(target), type, options: options.split(',') })
  }
  return entries
}

/** Blanks and backslashes are written in octal. */
function unescape(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** LABEL="x" is taken as LABEL=x. */
function unquote(source: string): string {
  return source.replace(/^([A-Z]+=)"(.*)"$/, '$1$2')
}
