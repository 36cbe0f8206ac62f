/** fnmatch(3) with '*' and '?' only; at most (length of the pattern) × (length of the name) steps. */
export function matchesWildcards(pattern: string, name: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let starAt = 0
  while (at < name.length) {
    if (pattern[from] === '*') {
      star = from++
      starAt = at
    } else if (from < pattern.length && (pattern[from] === '?' || pattern[from] === name[at])) {
      from++
      at++
    } else if (star >= 0) {
      from = star + 1
      at = ++starAt
    } else return false
  }
  while (pattern[from] === '*') from++
  return from === pattern.length
}
