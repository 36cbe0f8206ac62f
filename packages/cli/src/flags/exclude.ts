import { usageError } from '@c2m/process'

/** A part '..', also in braces. */
const CLIMBS = /(?:^|[/{,])\.\.(?:$|[/},])/

/**
 * Globs of paths that stay behind, from the root on.
 * @throws C2M_GLOB_INVALID for what names no path of a machine, or all of it
 */
export function parseExclude(globs: readonly string[]): readonly string[] {
  return globs.map((text) => {
    if (CLIMBS.test(text)) throw invalid(text, "has a part '..'", "write it from the machine's root, e.g. /etc/hosts")
    const parts = text.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.length === 0) throw invalid(text, 'names the root itself', 'name what is to stay behind, e.g. /srv/**')
    return `/${parts.join('/')}`
  })
}

function invalid(glob: string, because: string, hint: string): Error {
  return usageError('C2M_GLOB_INVALID', `the glob ${JSON.stringify(glob)} ${because}`, hint)
}
