import type { Rootfs } from '@c2m/plugin-api'
import { relativePath } from './paths.js'
import { CONFIGURATION_LIMIT, readText } from './read.js'
import { matchesWildcards } from './wildcard.js'

/** Bytes that are read of one machine's configuration in all. */
const TOTAL_LIMIT = 128 * 1024 * 1024
const MOST_MATCHES = 1000

/**
 * Reads configuration of a machine that nobody vouches for: a file that is too long, unreadable or of another type is as
 * good as none, with a warning, and all files together have a limit.
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
    if (!this.#texts.has(place)) this.#texts.set(place, await this.#read(place))
    return this.#texts.get(place)
  }

  /** What a path leads to, links followed. */
  async type(path: string): Promise<string | undefined> {
    const place = await this.#ask(path, () => this.rootfs.resolve(relativePath(path)))
    return place === undefined ? undefined : (await this.rootfs.stat(place))?.type
  }

  async exists(path: string): Promise<boolean> {
    return (await this.type(path)) !== undefined
  }

  /** Names in a directory, links followed. */
  async list(path: string): Promise<readonly string[]> {
    const place = await this.#ask(path, () => this.rootfs.resolve(relativePath(path)))
    return place === undefined ? [] : this.rootfs.list(place)
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
        next.push(...names.map((name) => `${folder}/${name}`))
      }
      found = next.slice(0, MOST_MATCHES)
    }
    const there: string[] = []
    for (const path of found) if (await this.exists(path)) there.push(path)
    return there
  }

  async #read(place: string): Promise<string | undefined> {
    const size = (await this.rootfs.stat(place))?.size ?? 0
    if (size > this.#left) {
      this.#warn(`${quoted(place)} is not looked at: the machine's configuration is too long`)
      return undefined
    }
    const text = await this.#ask(place, () => readText(this.rootfs, place, CONFIGURATION_LIMIT))
    if (text !== undefined) this.#left -= size
    return text
  }

  async #ask<T>(path: string, question: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await question()
    } catch (error) {
      this.#warn(`${quoted(path)} is not looked at: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
}

function quoted(path: string): string {
  return JSON.stringify(`/${relativePath(path)}`.slice(0, 300))
}
