import { globOf } from '@c2m/linux'
import type { CleaningRule, Rootfs } from '@c2m/plugin-api'
import { expandBraces } from '@c2m/rootfs'

type Globs = NonNullable<CleaningRule['remove']>

/** Directories that are more than what any rule is about: a link from a folder of logs to one costs no machine its data. */
const EVERYBODYS =
  /^(?:|(?:usr\/(?:local\/)?)?(?:s?bin|lib\w*|share)|boot|dev|etc|home|media|mnt|opt|proc|root|run|srv|sys|usr|usr\/local|var|var\/(?:lib|cache|spool|log))$/

/**
 * Rules with their globs also as the tree spells them where a directory that they name is a link: globs follow none, and
 * with /var → data/var nothing at /var/log would ever match.
 */
export async function rulesThroughLinks(
  rootfs: Rootfs,
  rules: readonly CleaningRule[],
): Promise<readonly CleaningRule[]> {
  const spelling = new Spelling(rootfs)
  const both = async (globs: Globs | undefined, isFollowed: boolean) => {
    if (globs === undefined) return undefined
    const found = new Set(globs)
    for (const glob of globs) for (const other of await spelling.others(glob, isFollowed)) found.add(other)
    return [...found]
  }
  const spelled: CleaningRule[] = []
  for (const rule of rules) {
    // what goes is the link itself; what stays without its content is what the link leads to
    const globs = {
      remove: await both(rule.remove, false),
      removeFiles: await both(rule.removeFiles, false),
      empty: await both(rule.empty, true),
      truncate: await both(rule.truncate, true),
      except: await both(rule.except, true),
    }
    spelled.push({ ...rule, ...Object.fromEntries(Object.entries(globs).filter(([, value]) => value !== undefined)) })
  }
  return spelled
}

class Spelling {
  readonly #rootfs: Rootfs
  readonly #places = new Map<string, Promise<string | undefined>>()

  constructor(rootfs: Rootfs) {
    this.#rootfs = rootfs
  }

  /** @param isFollowed also a link that a glob without wildcards names itself */
  async others(glob: string, isFollowed: boolean): Promise<readonly string[]> {
    const found: string[] = []
    for (const alternative of expandBraces(glob)) {
      const parts = alternative.split('/').filter((part) => part !== '')
      const wild = parts.findIndex((part) => /(?<!\\)(?:\\\\)*[*?[]/.test(part))
      const length = wild >= 0 ? wild : parts.length - (isFollowed ? 0 : 1)
      const folder = parts.slice(0, length).join('/').replace(/\\(.)/g, '$1')
      const rest = parts.slice(length)
      const place = folder === '' ? undefined : await this.#resolve(folder)
      if (place === undefined || place === folder) continue
      // all that is in it, or files of any name
      const isWide = rest.length === 0 || wild === length
      if (isWide && EVERYBODYS.test(place)) continue
      found.push([globOf(place), ...rest].join('/'))
    }
    return found
  }

  #resolve(folder: string): Promise<string | undefined> {
    let place = this.#places.get(folder)
    if (place === undefined) {
      place = this.#rootfs.resolve(folder)
      this.#places.set(folder, place)
    }
    return place
  }
}
