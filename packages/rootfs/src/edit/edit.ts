import type { Body, NewBody, NewEntry, Rootfs, RootfsChange, RootfsEdit, RootfsEntry, Timestamp } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { baseName, cleanPath, joinPath, parentOf } from '../name/path.js'
import { DentryRootfs, signalOf, topOf } from '../tree/dentry.js'
import { LinkGroups } from '../tree/link-groups.js'
import { metadataOf } from './new-entry.js'
import {
  bodyOf,
  entryOfContent,
  isDirectory,
  OverlayDentry,
  overlayNode,
  showsBase,
  walkOverlay,
  type Content,
  type OverlayNode,
  type OverlayTree,
} from './overlay-node.js'

export interface EditOptions {
  /** The time that entries get which bring none; default: now. */
  readonly time?: Timestamp
}

/** A tree that can be changed, over one that is never touched. The base stays its owner's to dispose. */
export function editRootfs(base: Rootfs, options: EditOptions = {}): RootfsEdit {
  return new OverlayRootfs(base, options.time ?? { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 })
}

/** A name, and the directories from the root to the one that it is in. */
interface Spot {
  readonly trail: readonly OverlayDentry[]
  readonly name: string
  readonly path: string
}

class OverlayRootfs extends DentryRootfs<OverlayDentry> implements RootfsEdit, OverlayTree {
  readonly #base: Rootfs
  readonly #time: Timestamp
  readonly #root: OverlayNode = overlayNode(true)
  /** Of base and edit together; found at the first change, since nothing differs before it. */
  #groups: LinkGroups | undefined
  #lastInode = 0

  constructor(base: Rootfs, time: Timestamp) {
    super(signalOf(base))
    this.#base = base
    this.#time = time
  }

  async top(): Promise<OverlayDentry> {
    return new OverlayDentry(this, this.#root, await topOf(this.#base))
  }

  get changes(): readonly RootfsChange[] {
    const changes: RootfsChange[] = []
    for (const { node, path } of walkOverlay(this.#root)) {
      if (node.content !== undefined) changes.push({ path, kind: node.inBase ? 'changed' : 'added' })
      else if (node.hidesBase && node.inBase) changes.push({ path, kind: 'removed' })
    }
    return changes
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await this.locate(from)
    if (start !== undefined) yield* this.#walkFrom(start.dentry, start.path)
  }

  /** The base's bodies, less those that are gone; then the added ones. */
  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for await (const { entry, body } of this.#base.contents()) {
      const shown = showsBase(this.#root, entry.path) ? entry.path : undefined
      const path = this.#groups === undefined ? shown : this.#groups.first(entry.inode, shown)
      if (path !== undefined) yield { entry: this.counted({ ...entry, path }), body }
    }
    const seen = new Set<Content>()
    for (const { node, path } of walkOverlay(this.#root)) {
      const { content } = node
      if (content?.kind !== 'own' || content.metadata.type !== 'file' || seen.has(content)) continue
      seen.add(content)
      yield { entry: this.counted(entryOfContent(content, path)), body: bodyOf(content.body) }
    }
  }

  async put(entry: NewEntry, body?: NewBody): Promise<void> {
    const metadata = metadataOf(entry, body, this.#time)
    await this.#begin()
    const content: Content = { kind: 'own', inode: ++this.#lastInode, metadata, body }
    if (cleanPath(entry.path) === '') {
      if (metadata.type !== 'directory') throw this.#cannot('replace', '', 'it is the root')
      this.#root.content = content
      return
    }
    const spot = await this.#makePlace(entry.path)
    const existing = await spot.trail.at(-1)!.child(spot.name)
    if (existing?.type === 'directory' && metadata.type === 'directory') this.#touch(spot, existing).content = content
    else await this.#replace(spot, content)
  }

  async link(from: string, to: string): Promise<void> {
    await this.#begin()
    const source = await this.locate(from)
    const file = await source?.dentry.entry(source.path)
    if (source === undefined || file === undefined) throw this.#cannot('link', from, 'it does not exist')
    if (file.type === 'directory') throw this.#cannot('link', from, 'it is a directory')
    const spot = await this.#makePlace(to)
    const existing = await (await spot.trail.at(-1)!.child(spot.name))?.entry(spot.path)
    if (existing?.type === 'directory') throw this.#cannot('replace', to, 'it is a directory')
    if (existing?.inode === file.inode) return
    const { node, base } = source.dentry
    const content: Content = node?.content ?? { kind: 'base', path: source.path, dentry: base! }
    await this.#replace(spot, content)
    this.#groups?.add(file.inode, source.path)
    this.#groups?.add(file.inode, spot.path)
  }

  async remove(path: string): Promise<void> {
    await this.#begin()
    const place = await this.locate(path)
    if (place === undefined) return
    if (place.path === '') throw this.#cannot('remove', path, 'it is the root')
    await this.#replace({ trail: place.trail.slice(0, -1), name: baseName(place.path), path: place.path }, undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the base is its owner's to dispose
  }

  counted(entry: RootfsEntry): RootfsEntry {
    return this.#groups?.counted(entry) ?? entry
  }

  async *#walkFrom(start: OverlayDentry, from: string): AsyncGenerator<RootfsEntry> {
    const waiting: { find: () => ReturnType<OverlayDentry['child']>; path: string }[] = [
      { find: () => start, path: from },
    ]
    for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
      const { path } = visit
      const dentry = await visit.find()
      if (dentry === undefined) continue
      if (dentry.node === undefined && dentry.type === 'directory') {
        for await (const entry of this.#base.walk(path)) yield this.counted(entry)
        continue
      }
      yield await dentry.entry(path)
      for (const name of [...(await dentry.names())].reverse()) {
        waiting.push({ find: () => dentry.child(name), path: joinPath(path, name) })
      }
    }
  }

  /** Learns the base's hard links and its highest inode number. */
  async #begin(): Promise<void> {
    if (this.#groups !== undefined) return
    const groups = new LinkGroups()
    for await (const entry of this.#base.walk()) {
      groups.note(entry)
      this.#lastInode = Math.max(this.#lastInode, entry.inode)
    }
    this.#groups = groups
  }

  /** Where a new name goes: its parents' links followed inside the tree, missing parents made. */
  async #makePlace(path: string): Promise<Spot> {
    const clean = cleanPath(path)
    const parent = await this.lookUp(parentOf(clean), { followLast: true, keepMissing: true })
    if (parent.outcome === 'loop') throw this.#cannot('write', path, 'symbolic links loop there')
    const isThere = parent.outcome === 'found' && parent.dentry.type === 'directory'
    if (!isThere && (parent.outcome !== 'missing' || parent.trail.at(-1)!.type !== 'directory')) {
      throw this.#cannot('write', path, `${JSON.stringify(parent.path)} is no directory`)
    }
    const name = baseName(clean)
    const full = cleanPath(joinPath(parent.path, name))
    return {
      trail: parent.outcome === 'missing' ? await this.#makeDirectories(parent) : parent.trail,
      name,
      path: full,
    }
  }

  /** Makes what is missing; returns the way to it. */
  async #makeDirectories(missing: {
    readonly path: string
    readonly trail: readonly OverlayDentry[]
    readonly names: readonly string[]
  }): Promise<readonly OverlayDentry[]> {
    const { path, names } = missing
    const trail = [...missing.trail]
    const metadata = metadataOf({ path, type: 'directory', mode: 0o755 }, undefined, this.#time)
    let at = path.split('/').slice(0, -names.length).join('/')
    for (const name of names) {
      at = joinPath(at, name)
      await this.#replace(
        { trail, name, path: at },
        { kind: 'own', inode: ++this.#lastInode, metadata, body: undefined },
      )
      trail.push((await trail.at(-1)!.child(name))!)
    }
    return trail
  }

  /** Puts a content where perhaps another was, or nothing. */
  async #replace(spot: Spot, content: Content | undefined): Promise<void> {
    const parent = spot.trail.at(-1)!
    const existing = await parent.child(spot.name)
    if (existing !== undefined) {
      for await (const gone of this.#walkFrom(existing, spot.path)) {
        if (gone.type !== 'directory') this.#groups?.remove(gone.inode, gone.path)
      }
    }
    const node = this.#touch(spot, existing)
    node.children.clear()
    node.content = content
    node.hidesBase = true
    if (content === undefined || !isDirectory(content) || !node.inBase) return
    // a removed directory that is made anew: each of its former children is removed by its own name
    const former = await parent.baseBelow?.child(spot.name)
    if (former?.type !== 'directory') return
    node.hidesBase = false
    for (const name of await former.names()) node.children.set(name, { ...overlayNode(true), hidesBase: true })
  }

  /** The node of a name, made with those above it where the edit touched nothing yet. */
  #touch({ trail, name, path }: Spot, existing: OverlayDentry | undefined): OverlayNode {
    const names = path.split('/')
    let node = this.#root
    trail.slice(1).forEach((dentry, index) => {
      dentry.node ??= this.#addNode(node, names[index]!, dentry)
      node = dentry.node
    })
    return node.children.get(name) ?? this.#addNode(node, name, existing)
  }

  #addNode(parent: OverlayNode, name: string, dentry: OverlayDentry | undefined): OverlayNode {
    // a name that is touched for the first time exists in the base or nowhere
    const node = overlayNode(dentry?.base !== undefined)
    parent.children.set(name, node)
    return node
  }

  #cannot(what: string, path: string, because: string): C2mError {
    return new C2mError('C2M_EDIT', `cannot ${what} ${JSON.stringify(path)} in the tree: ${because}`, {
      hint: 'choose another path',
    })
  }
}
