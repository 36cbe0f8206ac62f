import { encodeName } from './bytes.js'

const SURROGATES = 0xd800
const SLASH = 0x2f

/** Orders names by their raw bytes. */
export function compareNames(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) {
    const unitA = a.charCodeAt(at)
    const unitB = b.charCodeAt(at)
    if (unitA === unitB) continue
    // below the surrogates UTF-16 and UTF-8 order alike; from there on only the bytes tell
    if (unitA < SURROGATES && unitB < SURROGATES) return unitA - unitB
    return Buffer.compare(encodeName(a), encodeName(b))
  }
  return a.length - b.length
}

/** Orders paths as a walk meets them: depth first, a directory before its children, siblings by raw name bytes. */
export function comparePaths(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  let from = 0
  let at = 0
  for (; at < shorter && a.charCodeAt(at) === b.charCodeAt(at); at++) {
    if (a.charCodeAt(at) === SLASH) from = at + 1
  }
  if (at === shorter) return a.length - b.length
  return compareNames(component(a, from), component(b, from))
}

function component(path: string, from: number): string {
  const end = path.indexOf('/', from)
  return path.slice(from, end < 0 ? undefined : end)
}
