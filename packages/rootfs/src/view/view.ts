import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { cleanPath, joinPath } from '../name/path.js'
import { followLinks, locate, noSuchFile } from '../tree/lookup.js'
import { LinkGroups } from '../tree/link-groups.js'

/** Which part of a tree a view shows, and under which names. */
export interface ViewMapping {
  toBase(path: string): string
  /** Undefined for what the view does not show. */
  fromBase(path: string): string | undefined
  /** The view's paths of regular files that it shows without their content. */
  readonly emptied?: ReadonlySet<string>
  /** What the view changes in an entry besides; not its path, type, size or inode. */
  alter?(entry: RootfsEntry): RootfsEntry
}

const NOTHING: Body = {
  async *[Symbol.asyncIterator]() {
    // no bytes
  },
}

/**
 * A part of another tree, which stays its owner's: disposing the view leaves it open. Hard links to names outside of the
 * view are not counted, and links are resolved as if the view were all there is. An emptied name of a file with several is a
 * file of its own: the other names keep the content.
 */
export class View implements Rootfs {
  readonly #base: Rootfs
  readonly #mapping: ViewMapping
  /** Inode numbers of emptied files that had several names: lower than any in the base. */
  readonly #ownInodes = new Map<string, number>()
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
      if (path !== undefined) yield this.#shown(groups, { ...entry, path })
    }
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const located = await locate(this.#lookUp, path)
    if (located === undefined) return undefined
    const entry = await this.#lookUp(located)
    return entry === undefined ? undefined : this.#shown(await this.#linkGroups(), entry)
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
    for (const path of this.#mapping.emptied ?? []) {
      const entry = await this.stat(path)
      if (entry !== undefined) yield { entry, body: NOTHING }
    }
    for await (const { entry, body } of this.#base.contents()) {
      // the name that stands for a hard-link group in the base may lie outside of the view
      const path = groups.first(entry.inode, this.#mapping.fromBase(entry.path))
      if (path === undefined || this.#isEmptied(path)) continue
      yield { entry: this.#shown(groups, { ...entry, path }), body }
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
    let lowest = 0
    const separate: string[] = []
    for await (const entry of this.#base.walk(this.#mapping.toBase(''))) {
      const path = this.#mapping.fromBase(entry.path)
      if (path === undefined) continue
      lowest = Math.min(lowest, entry.inode)
      if (entry.nlink > 1 && this.#isEmptied(path)) separate.push(path)
      else groups.note(entry, path)
    }
    for (const path of separate) this.#ownInodes.set(path, --lowest)
    return groups
  }

  #isEmptied(path: string): boolean {
    return this.#mapping.emptied?.has(path) === true
  }

  /** An entry, already under the view's path, as the view shows it. */
  #shown(groups: LinkGroups, entry: RootfsEntry): RootfsEntry {
    const altered = this.#mapping.alter?.(entry) ?? entry
    if (!this.#isEmptied(entry.path)) return groups.counted(altered)
    return { ...altered, size: 0, nlink: 1, inode: this.#ownInodes.get(entry.path) ?? entry.inode }
  }

  async *#read(path: string): AsyncGenerator<{ offset: number; data: Uint8Array }> {
    const located = await locate(this.#lookUp, path)
    if (located === undefined) throw noSuchFile(cleanPath(path))
    if (!this.#isEmptied(located)) yield* this.#base.stream(this.#mapping.toBase(located))
  }
}
