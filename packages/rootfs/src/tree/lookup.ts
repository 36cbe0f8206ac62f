import type { RootfsEntry } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { cleanPath } from '../name/path.js'
import { resolveAsync, type Found } from '../name/resolution.js'

/** Looks at a path whose parents are no links. */
export type LookUp = (path: string) => Promise<Found | undefined>

/** Where a name really lies: its parents resolved, itself not followed; undefined when there is no such place or a loop. */
export async function locate(lookUp: LookUp, path: string): Promise<string | undefined> {
  const resolution = await resolveAsync(lookUp, cleanPath(path), { followLast: false })
  return resolution.outcome === 'found' ? resolution.path : undefined
}

/** Where a path leads when every link is followed; undefined when it leads nowhere or loops. */
export async function followLinks(lookUp: LookUp, path: string): Promise<string | undefined> {
  const resolution = await resolveAsync(lookUp, cleanPath(path), { followLast: true })
  return resolution.outcome === 'found' ? resolution.path : undefined
}

/** @throws C2M_NO_SUCH_FILE unless the entry is a regular file */
export function checkIsFile<T extends Pick<RootfsEntry, 'type'>>(entry: T | undefined, path: string): T {
  if (entry?.type === 'file') return entry
  throw noSuchFile(path, entry === undefined ? undefined : `is a ${entry.type}`)
}

export function noSuchFile(path: string, what = 'does not exist'): C2mError {
  return new C2mError('C2M_NO_SUCH_FILE', `${JSON.stringify(path)} cannot be read: it ${what}`, {
    hint: 'name a regular file of the tree',
  })
}
