import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { isBelow, joinPath } from '../name/path.js'
import { DentryRootfs, signalOf, topOf, whenReady, type Dentry } from '../tree/dentry.js'
import { LinkGroups } from '../tree/link-groups.js'
import { Descent, pathTree, valuesAlong, type PathTree } from './path-tree.js'

/** What becomes of a name: gone with all below it; a regular file without its content; a directory without its entries. */
export type Treatment = 'removed' | 'emptied' | 'hollow'

/** Which part of a tree a view shows. Paths are free of links. */
export interface Selection {
  /** The directory that becomes the root; default: the tree's. */
  readonly from?: string
  /** By the view's paths. */
  readonly treatments?: ReadonlyMap<string, Treatment>
  /** What the view changes in an entry besides; not its path, type, size or inode. */
  readonly alter?: (entry: RootfsEntry) => RootfsEntry
}

type Treatments = PathTree<Treatment>

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
export class View extends DentryRootfs<ViewDentry> {
  readonly #base: Rootfs
  readonly #from: string
  /** Undefined when the view shows all. */
  readonly #treatments: Treatments | undefined
  readonly #emptied: readonly string[]
  readonly #alter: Selection['alter']
  /** Inode numbers of emptied files that had several names: lower than any in the base. */
  readonly #ownInodes = new Map<string, number>()
  #groups: Promise<LinkGroups> | undefined

  constructor(base: Rootfs, { from = '', treatments = new Map(), alter }: Selection) {
    super(signalOf(base))
    this.#base = base
    this.#from = from
    this.#alter = alter
    this.#treatments = treatments.size === 0 ? undefined : pathTree(treatments)
    this.#emptied = [...treatments].filter(([, treatment]) => treatment === 'emptied').map(([path]) => path)
  }

  async top(): Promise<ViewDentry | undefined> {
    let base = await topOf(this.#base)
    for (const name of this.#from === '' ? [] : this.#from.split('/')) base = await base?.child(name)
    return base && new ViewDentry(this, base, this.#treatments)
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await this.locate(from)
    if (start === undefined) return
    const groups = await this.#linkGroups()
    for await (const [entry, treatment] of this.#walkBase(start.path, start.dentry.treatments)) {
      yield this.#shown(groups, entry, treatment)
    }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    const groups = await this.#linkGroups()
    for (const path of this.#emptied) {
      const entry = await this.stat(path)
      if (entry !== undefined) yield { entry, body: NOTHING }
    }
    for await (const { entry, body } of this.#base.contents()) {
      // the name that stands for a hard-link group in the base may lie outside of the view
      const path = groups.first(entry.inode, this.#shownPath(entry.path))
      if (path === undefined || this.#isEmptied(path)) continue
      yield { entry: this.#shown(groups, { ...entry, path }, undefined), body }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the base is its owner's to dispose
  }

  /** As the view shows what the base has at the same place. */
  async entryOf(base: Dentry, path: string, treatment: Treatment | undefined): Promise<RootfsEntry> {
    const entry = await base.entry(path)
    return this.#shown(await this.#linkGroups(), entry, treatment)
  }

  bodyOf(base: Dentry, path: string, treatment: Treatment | undefined): Body {
    return treatment === 'emptied' ? NOTHING : base.body(joinPath(this.#from, path))
  }

  /** Entries of the base below a directory of the view, under the view's paths. */
  async *#walkBase(
    from: string,
    treatments: Treatments | undefined,
  ): AsyncGenerator<readonly [RootfsEntry, Treatment | undefined]> {
    const descent = new Descent<Treatments | undefined>(treatments, (above, name) => above?.children?.get(name))
    let hidden: string | undefined
    for await (const entry of this.#base.walk(joinPath(this.#from, from))) {
      const path = this.#inside(entry.path)
      if (hidden !== undefined && isBelow(path, hidden)) continue
      hidden = undefined
      const treatment = treatments && descent.enter(path)?.value
      if (treatment === 'removed' || treatment === 'hollow') hidden = path
      if (treatment !== 'removed') yield [this.#from === '' ? entry : { ...entry, path }, treatment]
    }
  }

  /** A path of the base, which lies below the view's root, as the view has it. */
  #inside(path: string): string {
    return this.#from === '' ? path : path.slice(this.#from.length + 1)
  }

  /** A file's path as the view has it; undefined when it does not show it. */
  #shownPath(path: string): string | undefined {
    if (!isBelow(path, this.#from)) return undefined
    const inside = this.#inside(path)
    if (this.#treatments === undefined) return inside
    for (const treatment of valuesAlong(this.#treatments, inside)) {
      if (treatment === 'removed' || treatment === 'hollow') return undefined
    }
    return inside
  }

  #isEmptied(path: string): boolean {
    return this.#emptied.length > 0 && [...valuesAlong(this.#treatments!, path)].at(-1) === 'emptied'
  }

  #linkGroups(): Promise<LinkGroups> {
    return (this.#groups ??= this.#findGroups())
  }

  async #findGroups(): Promise<LinkGroups> {
    const groups = new LinkGroups()
    let lowest = 0
    const separate: string[] = []
    for await (const [entry, treatment] of this.#walkBase('', this.#treatments)) {
      lowest = Math.min(lowest, entry.inode)
      if (entry.nlink > 1 && treatment === 'emptied') separate.push(entry.path)
      else groups.note(entry)
    }
    for (const path of separate) this.#ownInodes.set(path, --lowest)
    return groups
  }

  /** An entry, already under the view's path, as the view shows it. */
  #shown(groups: LinkGroups, entry: RootfsEntry, treatment: Treatment | undefined): RootfsEntry {
    const altered = this.#alter?.(entry) ?? entry
    if (treatment !== 'emptied') return groups.counted(altered)
    return { ...altered, size: 0, nlink: 1, inode: this.#ownInodes.get(entry.path) ?? entry.inode }
  }
}

class ViewDentry implements Dentry {
  constructor(
    readonly view: View,
    readonly base: Dentry,
    /** Of this name and of those below it. */
    readonly treatments: Treatments | undefined,
  ) {}

  get type(): Dentry['type'] {
    return this.base.type
  }

  get linkTarget(): string | undefined {
    return this.base.linkTarget
  }

  child(name: string): ViewDentry | undefined | Promise<ViewDentry | undefined> {
    const treatments = this.treatments?.children?.get(name)
    if (this.#isHollow || treatments?.value === 'removed') return undefined
    return whenReady(this.base.child(name), (base) => base && new ViewDentry(this.view, base, treatments))
  }

  names(): readonly string[] | Promise<readonly string[]> {
    if (this.#isHollow) return []
    return whenReady(this.base.names(), (names) =>
      names.filter((name) => this.treatments?.children?.get(name)?.value !== 'removed'),
    )
  }

  entry(path: string): Promise<RootfsEntry> {
    return this.view.entryOf(this.base, path, this.treatments?.value)
  }

  body(path: string): Body {
    return this.view.bodyOf(this.base, path, this.treatments?.value)
  }

  get mayHaveHoles(): boolean | undefined {
    return this.base.mayHaveHoles
  }

  get #isHollow(): boolean {
    return this.treatments?.value === 'hollow'
  }
}
