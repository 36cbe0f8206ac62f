/** What is read of a unit file (systemd.unit(5)): sections with their keys, each with all its values in order. */
export type UnitFile = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

/** systemd.syntax(7): a backslash at a line's end joins lines, '#' and ';' begin comments, an empty value clears a list. */
export function parseUnitFile(text: string): UnitFile {
  const sections = new Map<string, Map<string, string[]>>()
  let section: Map<string, string[]> | undefined
  for (const line of joinLines(text)) {
    const header = /^\[([^\]]+)\]$/.exec(line)?.[1]
    if (header !== undefined) {
      section = sections.get(header) ?? new Map<string, string[]>()
      sections.set(header, section)
      continue
    }
    const [, key, value = ''] = /^([A-Za-z0-9-]+)\s*=\s*(.*)$/.exec(line) ?? []
    if (key === undefined || section === undefined) continue
    section.set(key, value === '' ? [] : [...(section.get(key) ?? []), value])
  }
  return sections
}

function joinLines(text: string): readonly string[] {
  const lines: string[] = []
  let open = ''
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (/^[#;]/.test(line)) continue
    if (line.endsWith('\\')) {
      open += `${line.slice(0, -1)} `
      continue
    }
    lines.push((open + line).trim())
    open = ''
  }
  return open === '' ? lines : [...lines, open.trim()]
}

/** A key's values, split at blanks: names of units hold none. */
export function unitList(unit: UnitFile, section: string, key: string): readonly string[] {
  return (unit.get(section)?.get(key) ?? []).flatMap((value) => value.split(/\s+/)).filter((word) => word !== '')
}
