import type { Rootfs } from '@c2m/plugin-api'
import { relativePath } from './paths.js'
import { readText } from './read.js'
import { matchesWildcards } from './wildcard.js'

/** Characters that are looked at of one machine's configuration in all, those that are looked at again included. */
const TOTAL_LIMIT = 256 * 1024 * 1024
const MOST_MATCHES = 1000
/** What a name in a directory counts, and a question whether something exists. */
const NAME_COST = 64

/**
 * Reads configuration of a machine that nobody vouches for: a file that is too long, unreadable or of another type is as
 * good as none, with a warning, and all that is looked at together has a limit.
 */
export class ConfigurationReader {
  readonly rootfs: Rootfs
  readonly #warn: (message: string) => void
  readonly #texts = new Map<string, string | undefined>()
  #left = TOTAL_LIMIT

  constructor(rootfs: Rootfs, warn: (message: string) => void) {
    this.rootfs = rootfs
    this.#warn = warn
  }

  warn(message: string): void {
    this.#warn(message)
  }

  /** A regular file's text, links followed inside the tree; undefined when there is none that can be read. */
  async text(path: string): Promise<string | undefined> {
    const place = await this.#ask(path, () => this.rootfs.resolve(relativePath(path)))
    if (place === undefined) return undefined
    if (!this.#texts.has(place)) this.#texts.set(place, await this.#ask(place, () => readText(this.rootfs, place)))
    const text = this.#texts.get(place)
    return text !== undefined && this.#spend(text.length) ? text : undefined
  }

  /** What a path leads to, links followed. */
  async type(path: string): Promise<string | undefined> {
    if (!this.#spend(NAME_COST)) return undefined
    const place = await this.#ask(path, () => this.rootfs.resolve(relativePath(path)))
    return place === undefined ? undefined : (await this.rootfs.stat(place))?.type
  }

  async exists(path: string): Promise<boolean> {
    return (await this.type(path)) !== undefined
  }

  /** Names in a directory, links followed. */
  async list(path: string): Promise<readonly string[]> {
    const place = await this.#ask(path, () => this.rootfs.resolve(relativePath(path)))
    const names = place === undefined ? [] : await this.rootfs.list(place)
    return this.#spend(names.length * NAME_COST) ? names : []
  }

  /** Paths of what exists and matches a pattern with '*' and '?', as configuration files use to include others; sorted. */
  async matching(pattern: string): Promise<readonly string[]> {
    let found = ['']
    for (const part of relativePath(pattern).split('/')) {
      const next: string[] = []
      for (const folder of found) {
        const names = /[*?]/.test(part)
          ? (await this.list(folder)).filter((name) => !name.startsWith('.') && matchesWildcards(part, name))
          : [part]
        for (const name of names.slice(0, MOST_MATCHES - next.length)) next.push(`${folder}/${name}`)
      }
      found = next
    }
    const there: string[] = []
    for (const path of found) if (await this.exists(path)) there.push(path)
    return there
  }

  /** Whether so much more may be looked at. */
  #spend(characters: number): boolean {
    const isAllowed = characters <= this.#left
    if (!isAllowed && this.#left > 0)
      this.#warn("the rest of the machine's configuration is not looked at: it is too long")
    this.#left = isAllowed ? this.#left - characters : 0
    return isAllowed
  }

  async #ask<T>(path: string, question: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await question()
    } catch (error) {
      if ((error as { code?: unknown }).code === 'C2M_INTERRUPTED') throw error
      this.#warn(`${quoted(path)} is not looked at: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
}

function quoted(path: string): string {
  return JSON.stringify(`/${relativePath(path)}`.slice(0, 300))
}
