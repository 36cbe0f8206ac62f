import type { OsRelease, Rootfs } from '@c2m/plugin-api'
import { readText, TEXT_LIMITS } from '../files/read.js'

/** os-release(5): the first that exists counts. */
const PLACES = ['etc/os-release', 'usr/lib/os-release']
const MOST_FIELDS = 200
const LONGEST_NAME = 120

/** The image's os-release, undefined when it has none. @throws when it is absurdly long */
export async function findOsRelease(rootfs: Rootfs): Promise<OsRelease | undefined> {
  for (const place of PLACES) {
    const text = await readText(rootfs, place, TEXT_LIMITS.short)
    if (text !== undefined) return parseOsRelease(text)
  }
  return undefined
}

/**
 * os-release(5): shell-compatible assignments, one a line. A value that is not what the manual allows for its field
 * (ID, ID_LIKE and VERSION_ID are of [a-z0-9._-]) is dropped, as it may end up in file names and on a terminal.
 */
export function parseOsRelease(text: string): OsRelease {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const assignment = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line.trim())
    if (assignment === null || fields.size >= MOST_FIELDS) continue
    const [, name = '', value = ''] = assignment
    fields.set(name, unquote(value))
  }
  const words = (fields.get('ID_LIKE') ?? '').split(/\s+/).filter(isIdentifier)
  const version = fields.get('VERSION_ID')
  return {
    id: [fields.get('ID')].find(isIdentifier) ?? 'linux',
    idLike: [...new Set(words)],
    versionId: isIdentifier(version) ? version : undefined,
    prettyName: printable(fields.get('PRETTY_NAME')) ?? printable(fields.get('NAME')) ?? 'Linux',
    fields,
  }
}

/** The shell's quoting: '…' as it stands; in "…" a backslash protects the five characters that mean something there. */
function unquote(value: string): string {
  const single = /^'([^']*)'/.exec(value)
  if (single !== null) return single[1] ?? ''
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(value)
  if (double !== null) return (double[1] ?? '').replace(/\\(["$`\\])/g, '$1')
  return value.replace(/\\(.)/g, '$1')
}

function isIdentifier(value: string | undefined): value is string {
  return value !== undefined && /^[a-z0-9][a-z0-9._+-]{0,63}$/i.test(value)
}

function printable(value: string | undefined): string | undefined {
  const text = value?.replace(/[\u0000-\u001f\u007f-\u009f]/g, '').trim()
  return text === undefined || text === '' ? undefined : text.slice(0, LONGEST_NAME)
}
