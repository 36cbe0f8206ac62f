import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { cleanPath, joinPath } from '../name/path.js'
import { followLinks, locate } from '../tree/lookup.js'
import { LinkGroups } from '../tree/link-groups.js'

/** Which part of a tree a view shows, and under which names. */
export interface ViewMapping {
  toBase(path: string): string
  /** Undefined for what the view does not show. */
  fromBase(path: string): string | undefined
}

/**
 * A part of another tree, which stays its owner's: disposing the view leaves it open. Hard links to names outside of the
 * view are not counted, and links are resolved as if the view were all there is.
 */
export class View implements Rootfs {
  readonly #base: Rootfs
  readonly #mapping: ViewMapping
  #groups: Promise<LinkGroups> | undefined

  constructor(base: Rootfs, mapping: ViewMapping) {
    this.#base = base
    this.#mapping = mapping
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await locate(this.#lookUp, from)
    if (start === undefined) return
    const groups = await this.#linkGroups()
    for await (const entry of this.#base.walk(this.#mapping.toBase(start))) {
      const path = this.#mapping.fromBase(entry.path)
      if (path !== undefined) yield groups.counted({ ...entry, path })
    }
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const located = await locate(this.#lookUp, path)
    if (located === undefined) return undefined
    const entry = await this.#lookUp(located)
    return entry === undefined ? undefined : (await this.#linkGroups()).counted(entry)
  }

  resolve(path: string): Promise<string | undefined> {
    return followLinks(this.#lookUp, path)
  }

  async list(path: string): Promise<readonly string[]> {
    const located = await locate(this.#lookUp, path)
    if (located === undefined) return []
    const base = this.#mapping.toBase(located)
    const names = await this.#base.list(base)
    return names.filter((name) => this.#mapping.fromBase(joinPath(base, name)) !== undefined)
  }

  stream(path: string): Body {
    return { [Symbol.asyncIterator]: () => this.#read(path) }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    const groups = await this.#linkGroups()
    for await (const { entry, body } of this.#base.contents()) {
      // the name that stands for a hard-link group in the base may lie outside of the view
      const path = groups.first(entry.inode, this.#mapping.fromBase(entry.path))
      if (path !== undefined) yield { entry: groups.counted({ ...entry, path }), body }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the base is its owner's to dispose
  }

  readonly #lookUp = async (path: string): Promise<RootfsEntry | undefined> => {
    const base = this.#mapping.toBase(path)
    if (this.#mapping.fromBase(base) === undefined) return undefined
    const entry = await this.#base.stat(base)
    return entry === undefined ? undefined : { ...entry, path }
  }

  #linkGroups(): Promise<LinkGroups> {
    return (this.#groups ??= this.#findGroups())
  }

  async #findGroups(): Promise<LinkGroups> {
    const groups = new LinkGroups()
    for await (const entry of this.#base.walk(this.#mapping.toBase(''))) {
      const path = this.#mapping.fromBase(entry.path)
      if (path !== undefined) groups.note(entry, path)
    }
    return groups
  }

  async *#read(path: string): AsyncGenerator<{ offset: number; data: Uint8Array }> {
    const located = await locate(this.#lookUp, path)
    yield* this.#base.stream(this.#mapping.toBase(located ?? cleanPath(path)))
  }
}
