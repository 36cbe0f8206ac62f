/** What is read of a unit file (systemd.unit(5)): sections with their keys, each with all its values in order. */
export type UnitFile = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

/**
 * systemd.syntax(7): a backslash at a line's end joins lines, '#' and ';' begin comments, an empty value clears a list.
 * @param dropIns texts of files that are read after it
 */
export function parseUnitFile(text: string, ...dropIns: readonly string[]): UnitFile {
  const sections = new Map<string, Map<string, string[]>>()
  for (const file of [text, ...dropIns]) readInto(sections, file)
  return sections
}

function readInto(sections: Map<string, Map<string, string[]>>, text: string): void {
  let section: Map<string, string[]> | undefined
  for (const line of joinLines(text)) {
    const header = /^\[([^\]]+)\]$/.exec(line)?.[1]
    if (header !== undefined) {
      section = sections.get(header) ?? new Map<string, string[]>()
      sections.set(header, section)
      continue
    }
    const equals = line.indexOf('=')
    const key = line.slice(0, Math.max(equals, 0)).trimEnd()
    if (section === undefined || !/^[A-Za-z0-9-]+$/.test(key)) continue
    const value = line.slice(equals + 1).trimStart()
    if (value === '') section.set(key, [])
    else if (section.get(key)?.push(value) === undefined) section.set(key, [value])
  }
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

/** A key that has one value: the last one counts; undefined when it is not set or cleared. */
export function unitValue(unit: UnitFile, section: string, key: string): string | undefined {
  return unit.get(section)?.get(key)?.at(-1)
}

/** systemd.syntax(7): '1', 'yes', 'y', 'true', 't' and 'on'. */
export function unitFlag(unit: UnitFile, section: string, key: string): boolean {
  return /^(?:1|y|yes|t|true|on)$/i.test(unitValue(unit, section, key) ?? '')
}

/** A key's values, split at blanks: names of units hold none. */
export function unitList(unit: UnitFile, section: string, key: string): readonly string[] {
  return (unit.get(section)?.get(key) ?? []).flatMap((value) => value.split(/\s+/)).filter((word) => word !== '')
}
