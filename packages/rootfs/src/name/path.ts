import { C2mError } from '@c2m/process'
import { nameLength } from './bytes.js'

/** Linux's NAME_MAX and PATH_MAX (limits.h), in bytes. */
const NAME_MAX = 255
const PATH_MAX = 4096

/**
 * A path as trees know it: relative to the root, '/'-separated, no '.', '..' or empty parts. '..' cannot climb above the
 * root, as with Go's filepath.Clean("/" + path), which containerd and umoci use; so '../x' and '/x' are both 'x'.
 * @throws C2M_PATH_INVALID for NUL, a name over 255 or a path over 4096 bytes
 */
export function cleanPath(path: string): string {
  if (isClean(path)) return checkLimits(path)
  if (path.includes('\0')) throw invalidPath(path, 'holds a NUL byte')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return checkLimits(parts.join('/'))
}

function isClean(path: string): boolean {
  // a leading, trailing or double slash, a part that is '.' or '..', NUL
  return !/^\/|\/$|\/\/|(?:^|\/)\.\.?(?:\/|$)|\0/.test(path)
}

function checkLimits(path: string): string {
  if (path.length * 3 <= NAME_MAX) return path
  if (nameLength(path) > PATH_MAX) throw invalidPath(path, `is longer than ${PATH_MAX} bytes`)
  for (const part of path.split('/')) {
    if (part.length * 3 > NAME_MAX && nameLength(part) > NAME_MAX) {
      throw invalidPath(path, `has a name longer than ${NAME_MAX} bytes`)
    }
  }
  return path
}

function invalidPath(path: string, because: string): C2mError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path
  return new C2mError('C2M_PATH_INVALID', `the path ${JSON.stringify(shown)} ${because}`, {
    hint: 'no Linux file system can hold such a name; the archive or image is damaged or hostile',
  })
}

/** The directory that holds a name; of a top-level name the root, ''. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : name === '' ? directory : `${directory}/${name}`
}

/** Whether `path` lies below `directory`, at any depth; no path lies below itself. */
export function isBelow(path: string, directory: string): boolean {
  return directory === '' ? path !== '' : path.startsWith(`${directory}/`)
}
