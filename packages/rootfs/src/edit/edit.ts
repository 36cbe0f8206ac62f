import type { Body, NewBody, NewEntry, Rootfs, RootfsChange, RootfsEdit, RootfsEntry, Timestamp } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { compareNames } from '../name/order.js'
import { baseName, cleanPath, joinPath, parentOf } from '../name/path.js'
import { resolveAsync } from '../name/resolution.js'
import { checkIsFile, followLinks, locate } from '../tree/lookup.js'
import { LinkGroups } from '../tree/link-groups.js'
import { entryOf } from '../tree/node.js'
import { metadataOf } from './new-entry.js'
import { bodyOf, findPlace, isDirectory, overlayNode, walkOverlay } from './overlay-node.js'
import type { Content, OverlayNode } from './overlay-node.js'

export interface EditOptions {
  /** The time that entries get which bring none; default: now. */
  readonly time?: Timestamp
}

/** A tree that can be changed, over one that is never touched. The base stays its owner's to dispose. */
export function editRootfs(base: Rootfs, options: EditOptions = {}): RootfsEdit {
  return new OverlayRootfs(base, options.time ?? { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 })
}

class OverlayRootfs implements RootfsEdit {
  readonly #base: Rootfs
  readonly #time: Timestamp
  readonly #root: OverlayNode = overlayNode(true)
  /** Of base and edit together; found at the first change, since nothing differs before it. */
  #groups: LinkGroups | undefined
  #lastInode = 0

  constructor(base: Rootfs, time: Timestamp) {
    this.#base = base
    this.#time = time
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
    const start = await locate(this.#lookUp, from)
    if (start !== undefined) yield* this.#walkFrom(start)
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const located = await locate(this.#lookUp, path)
    return located === undefined ? undefined : this.#lookUp(located)
  }

  resolve(path: string): Promise<string | undefined> {
    return followLinks(this.#lookUp, path)
  }

  async list(path: string): Promise<readonly string[]> {
    const located = await locate(this.#lookUp, path)
    return located === undefined ? [] : this.#names(located)
  }

  stream(path: string): Body {
    return { [Symbol.asyncIterator]: () => this.#read(path) }
  }

  /** The base's bodies, less those that are gone; then the added ones. */
  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for await (const { entry, body } of this.#base.contents()) {
      const shown = findPlace(this.#root, entry.path).showsBase ? entry.path : undefined
      const path = this.#groups === undefined ? shown : this.#groups.first(entry.inode, shown)
      if (path !== undefined) yield { entry: this.#counted({ ...entry, path }), body }
    }
    const seen = new Set<Content>()
    for (const { node, path } of walkOverlay(this.#root)) {
      const { content } = node
      if (content?.kind !== 'own' || content.metadata.type !== 'file' || seen.has(content)) continue
      seen.add(content)
      yield {
        entry: this.#counted(entryOf({ number: content.inode, metadata: content.metadata, nlink: 1 }, path)),
        body: bodyOf(content.body),
      }
    }
  }

  async put(entry: NewEntry, body?: NewBody): Promise<void> {
    const metadata = metadataOf(entry, body, this.#time)
    await this.#begin()
    const path = await this.#makePlace(entry.path)
    const existing = await this.#lookUp(path)
    const content: Content = { kind: 'own', inode: ++this.#lastInode, metadata, body }
    if (path === '' && metadata.type !== 'directory') throw this.#cannot('replace', path, 'it is the root')
    if (existing?.type === 'directory' && metadata.type === 'directory') (await this.#nodeAt(path)).content = content
    else await this.#replace(path, content)
  }

  async link(from: string, to: string): Promise<void> {
    await this.#begin()
    const source = await locate(this.#lookUp, from)
    const file = source === undefined ? undefined : await this.#lookUp(source)
    if (source === undefined || file === undefined) throw this.#cannot('link', from, 'it does not exist')
    if (file.type === 'directory') throw this.#cannot('link', from, 'it is a directory')
    const path = await this.#makePlace(to)
    const existing = await this.#lookUp(path)
    if (existing?.type === 'directory') throw this.#cannot('replace', to, 'it is a directory')
    if (existing?.inode === file.inode) return
    const content = findPlace(this.#root, source).node?.content ?? { kind: 'base', path: source }
    await this.#replace(path, content)
    this.#groups?.add(file.inode, source)
    this.#groups?.add(file.inode, path)
  }

  async remove(path: string): Promise<void> {
    await this.#begin()
    const located = await locate(this.#lookUp, path)
    if (located === undefined) return
    if (located === '') throw this.#cannot('remove', path, 'it is the root')
    await this.#replace(located, undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the base is its owner's to dispose
  }

  readonly #lookUp = async (path: string): Promise<RootfsEntry | undefined> => {
    const { node, showsBase } = findPlace(this.#root, path)
    const content = node?.content
    if (content === undefined && !showsBase) return undefined
    if (content?.kind === 'own') {
      return this.#counted(entryOf({ number: content.inode, metadata: content.metadata, nlink: 1 }, path))
    }
    const entry = await this.#base.stat(content?.path ?? path)
    return entry === undefined ? undefined : this.#counted({ ...entry, path })
  }

  #counted(entry: RootfsEntry): RootfsEntry {
    return this.#groups?.counted(entry) ?? entry
  }

  async #names(path: string): Promise<string[]> {
    const { node } = findPlace(this.#root, path)
    const names = new Set(this.#showsBaseBelow(path) ? await this.#base.list(path) : [])
    for (const [name, child] of node?.children ?? []) {
      if (child.content !== undefined) names.add(name)
      else if (child.hidesBase) names.delete(name)
    }
    return [...names].sort(compareNames)
  }

  /** Whether the base's children of a directory show through, also when the directory itself was put anew. */
  #showsBaseBelow(path: string): boolean {
    return findPlace(this.#root, joinPath(path, '.')).showsBase
  }

  async *#walkFrom(path: string): AsyncGenerator<RootfsEntry> {
    if (findPlace(this.#root, path).node === undefined) {
      for await (const entry of this.#base.walk(path)) yield this.#counted(entry)
      return
    }
    const entry = await this.#lookUp(path)
    if (entry === undefined) return
    yield entry
    if (entry.type !== 'directory') return
    for (const name of await this.#names(path)) yield* this.#walkFrom(joinPath(path, name))
  }

  async *#read(path: string): AsyncGenerator<{ offset: number; data: Uint8Array }> {
    const entry = checkIsFile(await this.stat(path), path)
    const content = findPlace(this.#root, entry.path).node?.content
    yield* content?.kind === 'own' ? bodyOf(content.body) : this.#base.stream(content?.path ?? entry.path)
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
  async #makePlace(path: string): Promise<string> {
    const clean = cleanPath(path)
    if (clean === '') return ''
    const parent = await resolveAsync(this.#lookUp, parentOf(clean), { followLast: true, keepMissing: true })
    if (parent.outcome === 'loop') throw this.#cannot('write', path, 'symbolic links loop there')
    if (parent.outcome === 'missing') await this.#makeDirectories(parent.path)
    else if ((await this.#lookUp(parent.path))?.type !== 'directory') {
      throw this.#cannot('write', path, `${JSON.stringify(parent.path)} is no directory`)
    }
    return cleanPath(joinPath(parent.path, baseName(clean)))
  }

  async #makeDirectories(path: string): Promise<void> {
    const metadata = metadataOf({ path, type: 'directory', mode: 0o755 }, undefined, this.#time)
    const names = path.split('/')
    for (let count = 1; count <= names.length; count++) {
      const directory = names.slice(0, count).join('/')
      if ((await this.#lookUp(directory)) !== undefined) continue
      await this.#replace(directory, { kind: 'own', inode: ++this.#lastInode, metadata, body: undefined })
    }
  }

  /** Puts a content where perhaps another was, or nothing. */
  async #replace(path: string, content: Content | undefined): Promise<void> {
    for await (const gone of this.#walkFrom(path)) {
      if (gone.type !== 'directory') this.#groups?.remove(gone.inode, gone.path)
    }
    const node = await this.#nodeAt(path)
    node.children.clear()
    node.content = content
    node.hidesBase = true
    if (content !== undefined && isDirectory(content) && node.inBase) await this.#hideEachChild(node, path)
  }

  /** A removed directory that is made anew: each of its former children is removed by its own name. */
  async #hideEachChild(node: OverlayNode, path: string): Promise<void> {
    if ((await this.#base.stat(path))?.type !== 'directory') return
    node.hidesBase = false
    for (const name of await this.#base.list(path)) node.children.set(name, { ...overlayNode(true), hidesBase: true })
  }

  async #nodeAt(path: string): Promise<OverlayNode> {
    let node = this.#root
    let at = ''
    for (const name of path === '' ? [] : path.split('/')) {
      const inBase = node.children.has(name) ? false : await this.#isInBase(at, name)
      at = joinPath(at, name)
      const child = node.children.get(name) ?? overlayNode(inBase)
      node.children.set(name, child)
      node = child
    }
    return node
  }

  async #isInBase(directory: string, name: string): Promise<boolean> {
    return this.#showsBaseBelow(directory) && (await this.#base.stat(joinPath(directory, name))) !== undefined
  }

  #cannot(what: string, path: string, because: string): C2mError {
    return new C2mError('C2M_EDIT', `cannot ${what} ${JSON.stringify(path)} in the tree: ${because}`, {
      hint: 'choose another path',
    })
  }
}
