import type { CleaningRule, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import { isBelow, baseName } from '../name/path.js'
import { cutRootfs, planCut, type Verdict } from './cut.js'
import { GlobSet, type GlobState } from './globs.js'

export interface CleaningSelection {
  /** Ids of rules to apply besides those that apply by default; 'all' for every one. */
  readonly clean?: readonly string[]
  /** Ids of rules not to apply, whatever `clean` says; 'all' for none at all. */
  readonly keep?: readonly string[]
}

/** What became of what one rule names. */
export interface CleaningResult {
  readonly id: string
  readonly summary: string
  readonly applied: boolean
  readonly because: 'default' | 'asked'
  /** Names, of whatever type, that went or, where the rule was not applied, would have gone. */
  readonly removed: number
  /** Files that were emptied or would have been. */
  readonly emptied: number
  /** Bytes of content, holes included; of a file with several names only when all of them go. */
  readonly bytes: number
  /** The first few paths, of a removed directory without what is below it. */
  readonly samples: readonly string[]
}

export interface CleanedRootfs {
  /** A view; the tree below stays its owner's. */
  readonly rootfs: Rootfs
  /** One for each rule, in the rules' order. */
  readonly results: readonly CleaningResult[]
}

const MOST_SAMPLES = 5

/**
 * The tree without what the selected rules name. Metadata is looked at once; bodies are not read. Where two rules name one
 * entry, the first that is applied counts it.
 * @throws C2M_UNKNOWN_CLEANING_RULE, C2M_GLOB_INVALID
 */
export async function cleanRootfs(
  rootfs: Rootfs,
  rules: readonly CleaningRule[],
  selection: CleaningSelection = {},
): Promise<CleanedRootfs> {
  const tallies = selectRules(rules, selection)
  const classifier = new Classifier(tallies)
  const links = new Map<number, number>()
  /** Whether the last name of a file goes with this one. */
  const isLast = (entry: RootfsEntry): boolean => {
    if (entry.nlink <= 1) return true
    const left = (links.get(entry.inode) ?? entry.nlink) - 1
    links.set(entry.inode, left)
    return left === 0
  }
  const decide = (entry: RootfsEntry): Verdict<Tally> => {
    const { verdict, spared } = classifier.classify(entry)
    if (verdict.fate === 'keep' && spared !== undefined) {
      spared.reason.count(entry, spared.fate === 'empty', entry.nlink === 1)
    }
    return verdict
  }
  const cut = await planCut(rootfs, decide, (entry, tally, fate) => {
    tally.count(entry, fate === 'empty', fate === 'empty' ? entry.nlink === 1 : isLast(entry))
  })
  return { rootfs: cutRootfs(rootfs, cut), results: tallies.map((tally) => tally.result()) }
}

/** @throws C2M_UNKNOWN_CLEANING_RULE */
function selectRules(rules: readonly CleaningRule[], selection: CleaningSelection): readonly Tally[] {
  const { clean = [], keep = [] } = selection
  const known = new Set(rules.map(({ id }) => id))
  const unknown = [...clean, ...keep].find((id) => id !== 'all' && !known.has(id))
  if (unknown !== undefined) {
    throw usageError(
      'C2M_UNKNOWN_CLEANING_RULE',
      `there is no cleaning rule ${JSON.stringify(unknown.slice(0, 100))} for this machine`,
      `there are ${[...known].sort().join(', ')} and all`,
    )
  }
  return rules.map((rule) => {
    const isNamed = (ids: readonly string[]) => ids.includes(rule.id) || ids.includes('all')
    const applied = !isNamed(keep) && (rule.byDefault || isNamed(clean))
    return new Tally(rule, applied, applied === rule.byDefault ? 'default' : 'asked')
  })
}

class Tally {
  readonly rule: CleaningRule
  readonly applied: boolean
  readonly #because: CleaningResult['because']
  #removed = 0
  #emptied = 0
  #bytes = 0
  #samples: string[] = []

  constructor(rule: CleaningRule, applied: boolean, because: CleaningResult['because']) {
    this.rule = rule
    this.applied = applied
    this.#because = because
  }

  count(entry: RootfsEntry, emptied: boolean, freesBytes: boolean): void {
    if (emptied) this.#emptied++
    else this.#removed++
    if (freesBytes) this.#bytes += entry.size
    this.#sample(entry.path)
  }

  result(): CleaningResult {
    return {
      id: this.rule.id,
      summary: this.rule.summary,
      applied: this.applied,
      because: this.#because,
      removed: this.#removed,
      emptied: this.#emptied,
      bytes: this.#bytes,
      samples: [...this.#samples].sort().slice(0, MOST_SAMPLES),
    }
  }

  /** A directory is counted before what is below it where it stays, and after it where it goes. */
  #sample(path: string): void {
    if (this.#samples.some((other) => isBelow(path, other))) return
    if (this.#samples.some((other) => isBelow(other, path))) {
      this.#samples = this.#samples.filter((other) => !isBelow(other, path))
    } else if (this.#samples.length > MOST_SAMPLES) return
    this.#samples.push(path)
  }
}

type Action = 'remove' | 'removeFiles' | 'empty' | 'truncate' | 'except'

interface Hit {
  readonly tally: Tally
  readonly action: Action
}

interface Level {
  readonly path: string
  readonly state: GlobState<Hit>
  /** Rules by which all that is directly in it goes. */
  readonly removing: readonly Tally[]
  /** Rules that leave it and all below alone. */
  readonly sparing: readonly Tally[]
}

interface Classification {
  readonly verdict: Verdict<Tally>
  /** What a rule that is not applied would have done. */
  readonly spared: { readonly fate: 'remove' | 'empty'; readonly reason: Tally } | undefined
}

/** Says of each entry of a walk, in its order, what the rules make of it. */
class Classifier {
  readonly #globs = new GlobSet<Hit>()
  readonly #levels: Level[] = []

  constructor(tallies: readonly Tally[]) {
    for (const tally of tallies) {
      const { remove, removeFiles, empty, truncate, except } = tally.rule
      for (const [action, globs] of [
        ['remove', remove],
        ['removeFiles', removeFiles],
        ['empty', empty],
        ['truncate', truncate],
        ['except', except],
      ] as const) {
        for (const glob of globs ?? []) this.#globs.add(glob, { tally, action })
      }
    }
  }

  classify(entry: RootfsEntry): Classification {
    while (this.#levels.length > 0 && !isBelow(entry.path, this.#levels.at(-1)!.path)) this.#levels.pop()
    const above = this.#levels.at(-1)
    const state = above === undefined ? this.#globs.start() : this.#globs.next(above.state, baseName(entry.path))
    const hits = [...this.#globs.matches(state)]
    const by = (action: Action) => hits.filter((hit) => hit.action === action).map(({ tally }) => tally)
    const inherited = above ?? { removing: [], sparing: [] }
    const sparing = union(inherited.sparing, by('except'))
    const without = (tallies: readonly Tally[]) => tallies.filter((tally) => !sparing.includes(tally))
    const named = entry.type === 'directory' ? by('remove') : union(by('remove'), by('removeFiles'))
    const removing = without(union(inherited.removing, named))
    if (entry.type === 'directory') {
      const below = without(union(removing, by('empty')))
      this.#levels.push({ path: entry.path, state, removing: below, sparing })
    }
    const emptying = entry.type === 'file' && entry.size > 0 ? without(by('truncate')) : []
    return judge(removing, emptying)
  }
}

/** The root is no name that could go. */
function judge(removing: readonly Tally[], emptying: readonly Tally[]): Classification {
  const pick = (applied: boolean) => {
    const remove = removing.find((tally) => tally.applied === applied)
    if (remove !== undefined) return { fate: 'remove', reason: remove } as const
    const empty = emptying.find((tally) => tally.applied === applied)
    return empty === undefined ? undefined : ({ fate: 'empty', reason: empty } as const)
  }
  return { verdict: pick(true) ?? { fate: 'keep' }, spared: pick(false) }
}

function union(some: readonly Tally[], others: readonly Tally[]): readonly Tally[] {
  return others.length === 0 ? some : [...new Set([...some, ...others])]
}
