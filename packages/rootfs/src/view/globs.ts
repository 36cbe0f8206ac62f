import { usageError, type C2mError } from '@c2m/process'
import { literalOf, matchesName, parseNamePattern, type NameToken } from './name-pattern.js'

const LONGEST = 4096
/** Alternatives that one glob may stand for. */
const MOST_ALTERNATIVES = 1024

/** What has been read of globs at one point of a path: where each of those that may still match goes on. */
export type GlobState<T> = readonly GlobNode<T>[]

interface GlobNode<T> {
  /** Next parts without wildcards. */
  readonly names: Map<string, GlobNode<T>>
  readonly patterns: { readonly text: string; readonly tokens: readonly NameToken[]; readonly next: GlobNode<T> }[]
  /** Next part is '**'. */
  depth: GlobNode<T> | undefined
  /** This is a '**': it takes any name and stays. */
  readonly isDepth: boolean
  /** Of globs that end here. */
  readonly values: T[]
}

/**
 * Many globs at once, each with a value; read along a path name by name, so that a walk through a tree looks at each name
 * once. Absolute: '*' stands for any characters within a name (a leading dot too), '?' for one, '[a-z]' and '[!a-z]' for one
 * of a class, '**' as a whole part for any directories or none (at the end: for everything below), '{a,b}' for either, also
 * with slashes; a backslash takes the meaning from what follows. Takes time in proportion to the path's length, whatever
 * the globs.
 */
export class GlobSet<T> {
  readonly #top: GlobNode<T> = newNode(false)

  /** @throws C2M_GLOB_INVALID unless it is absolute and of sensible size */
  add(glob: string, value: T): void {
    if (!glob.startsWith('/')) throw invalidGlob(glob, "does not begin with '/'", "write '/**/NAME' for any directory")
    if (glob.length > LONGEST) throw invalidGlob(glob, `is longer than ${LONGEST} characters`)
    for (const alternative of expandBraces(glob)) this.#insert(alternative).values.push(value)
  }

  start(): GlobState<T> {
    const state: GlobNode<T>[] = []
    enter(state, this.#top)
    return state
  }

  /** Goes on with a name below. */
  next(state: GlobState<T>, name: string): GlobState<T> {
    const after: GlobNode<T>[] = []
    for (const node of state) {
      if (node.isDepth) enter(after, node)
      const literal = node.names.get(name)
      if (literal !== undefined) enter(after, literal)
      for (const { tokens, next } of node.patterns) if (matchesName(tokens, name)) enter(after, next)
    }
    return after
  }

  /** Values of the globs that match the path that was read. */
  *matches(state: GlobState<T>): Generator<T> {
    for (const node of state) yield* node.values
  }

  #insert(glob: string): GlobNode<T> {
    const parts = glob.split('/').filter((part) => part !== '' && part !== '.')
    // '/x/**' is everything below x, but not x
    if (parts.at(-1) === '**') parts.push('*')
    let node = this.#top
    for (const part of parts) {
      if (part === '**') node = node.isDepth ? node : (node.depth ??= newNode(true))
      else node = child(node, part)
    }
    return node
  }
}

/** Whether any of the globs matches a path, as Rootfs spells it. */
export function compileGlobs(globs: readonly string[]): (path: string) => boolean {
  const set = new GlobSet<true>()
  for (const glob of globs) set.add(glob, true)
  return (path) => {
    let state = set.start()
    for (const name of path === '' ? [] : path.split('/')) {
      if (state.length === 0) return false
      state = set.next(state, name)
    }
    return set.matches(state).next().done !== true
  }
}

function newNode<T>(isDepth: boolean): GlobNode<T> {
  return { names: new Map(), patterns: [], depth: undefined, isDepth, values: [] }
}

function child<T>(node: GlobNode<T>, part: string): GlobNode<T> {
  const tokens = parseNamePattern(part)
  const literal = literalOf(tokens)
  const known = literal === undefined ? node.patterns.find(({ text }) => text === part)?.next : node.names.get(literal)
  if (known !== undefined) return known
  const next = newNode<T>(false)
  if (literal === undefined) node.patterns.push({ text: part, tokens, next })
  else node.names.set(literal, next)
  return next
}

function enter<T>(state: GlobNode<T>[], node: GlobNode<T>): void {
  if (state.includes(node)) return
  state.push(node)
  if (node.depth !== undefined) enter(state, node.depth)
}

/**
 * '/a{b,c{d,e}}' → '/ab', '/acd', '/ace'. A brace that nothing closes, or without a comma, stands for itself.
 * @throws C2M_GLOB_INVALID for too many alternatives
 */
export function expandBraces(glob: string): readonly string[] {
  const done: string[] = []
  const waiting = [{ text: glob, from: 0 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const group = firstGroup(next.text, next.from)
    if (group === undefined) done.push(next.text)
    else {
      for (const choice of group.choices.toReversed()) {
        waiting.push({ text: next.text.slice(0, group.start) + choice + next.text.slice(group.end), from: group.start })
      }
    }
    if (done.length + waiting.length > MOST_ALTERNATIVES) {
      throw invalidGlob(glob, `stands for more than ${MOST_ALTERNATIVES} alternatives`)
    }
  }
  return done
}

function firstGroup(text: string, from: number): { start: number; end: number; choices: string[] } | undefined {
  const opened: { start: number; commas: number[] }[] = []
  let found: { start: number; end: number; choices: string[] } | undefined
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === '{') opened.push({ start: at, commas: [] })
    else if (character === ',') opened.at(-1)?.commas.push(at)
    else if (character === '}') {
      const group = opened.pop()
      if (group === undefined || group.commas.length === 0) continue
      // the outermost complete one wins: what is inside comes when it is expanded
      if (found === undefined || group.start < found.start) {
        const cuts = [group.start, ...group.commas, at]
        const choices = cuts.slice(1).map((cut, index) => text.slice(cuts[index]! + 1, cut))
        found = { start: group.start, end: at + 1, choices }
      }
      if (opened.length === 0) return found
    }
  }
  return found
}

function invalidGlob(glob: string, because: string, hint = 'shorten it or give several globs'): C2mError {
  const shown = glob.length > 200 ? `${glob.slice(0, 200)}…` : glob
  return usageError('C2M_GLOB_INVALID', `the glob ${JSON.stringify(shown)} ${because}`, hint)
}
