import { C2mError, turnEventLoop } from '@c2m/process'
import type { Layer, LayerEntry } from '../layer/layer.js'
import { baseName, cleanPath, joinPath, parentOf } from '../name/path.js'
import { LinkBudget, resolveSync, type Resolution, type ResolutionOptions } from '../name/resolution.js'
import { NO_XATTRS } from '../tar/member.js'
import { TreeBudget } from '../tree/budget.js'
import { TreeNode, type Inode, type Metadata } from '../tree/node.js'
import { parseWhiteout } from './whiteout.js'

/** A tree's metadata is that of its layers' entries; only directories that no layer describes have their own. */
export type MergedMetadata = Metadata | DescribedEntry
type DescribedEntry = LayerEntry & Metadata
export type MergedNode = TreeNode<MergedMetadata>

/**
 * Directories that an archive only implies. Owner and mode are containerd's; the time is the epoch, since nothing says
 * when they were made and a constant gives the same tree every time.
 */
const IMPLIED_DIRECTORY: Metadata = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  size: 0,
  xattrs: NO_XATTRS,
}

/** Names that links may add for each entry, besides what any tree is allowed. */
const LINK_NAMES_OF_ENTRY = 64

/** Applies layers, lowest first, as the OCI image specification (layer.md) and containerd do. */
export class Merger {
  readonly root: MergedNode
  #inodes = 0
  /** Number of the layer that is being applied; names it touched carry it as their mark. */
  #mark = 0
  #layer: Layer | undefined
  /** The directory that was looked up last: most entries follow their neighbours. Forgotten when a name is replaced. */
  #recent: { path: string; node: MergedNode } | undefined
  /** Directories that this layer has freed of what lower layers put there: no need to look again. */
  readonly #freed = new Set<MergedNode>()
  readonly #links = new LinkBudget()
  /** Directories that entries only imply count, too: a short archive can imply many. */
  readonly #budget = new TreeBudget('the image')
  readonly #signal: AbortSignal | undefined

  constructor(signal?: AbortSignal) {
    this.root = new TreeNode<MergedMetadata>('', undefined, this.#newInode(IMPLIED_DIRECTORY))
    this.#signal = signal
  }

  async apply(layer: Layer): Promise<void> {
    this.#begin(layer)
    for (const entry of layer.entries) {
      const turn = turnEventLoop(this.#signal)
      if (turn !== undefined) await turn
      const whiteout = parseWhiteout(entry.path)
      if (whiteout === undefined) this.#put(entry)
      else if (whiteout.kind === 'whiteout') this.#hide(whiteout.directory, whiteout.name)
      else if (whiteout.kind === 'opaque') this.#hideChildren(whiteout.directory)
    }
  }

  /** As `apply`, for an archive that knows no whiteouts. */
  async unpack(archive: Layer): Promise<void> {
    this.#begin(archive)
    for (const entry of archive.entries) {
      const turn = turnEventLoop(this.#signal)
      if (turn !== undefined) await turn
      this.#put(entry)
    }
  }

  #begin(layer: Layer): void {
    this.#mark++
    this.#layer = layer
    this.#recent = undefined
    this.#freed.clear()
    this.#links.allow(layer.entries.length * LINK_NAMES_OF_ENTRY)
  }

  #put(entry: LayerEntry): void {
    if (entry.path === '') {
      this.#putRoot(entry)
      return
    }
    const parent = this.#makeDirectory(parentOf(entry.path), entry.path)
    const name = baseName(entry.path)
    const existing = parent.children?.get(name)
    if (!isDescribed(entry)) this.#link(entry, parent, name, existing)
    else if (entry.type === 'directory' && existing?.inode.metadata.type === 'directory') {
      existing.inode = this.#newInode(entry)
      this.#touch(existing)
    } else {
      if (existing !== undefined) this.#remove(existing)
      this.#add(parent, name, this.#newInode(entry))
    }
  }

  #putRoot(entry: LayerEntry): void {
    if (!isDescribed(entry) || entry.type !== 'directory') {
      throw new C2mError('C2M_LAYER_ROOT', `the layer ${entry.layer.tarPath} makes the root a ${entry.type}`, {
        hint: 'the image is damaged or hostile; pull or export it again',
      })
    }
    this.root.inode = this.#newInode(entry)
    this.#touch(this.root)
  }

  /** The target may come from this layer or a lower one; metadata that the link's own header repeats is not applied. */
  #link(entry: LayerEntry, parent: MergedNode, name: string, existing: MergedNode | undefined): void {
    const wanted = entry.linkTarget ?? ''
    const isFile = existing !== undefined && existing.inode.metadata.type !== 'directory'
    if (isFile && this.#lookUp(wanted) === existing) return
    if (existing !== undefined) this.#remove(existing)
    const target = this.#lookUp(wanted)
    if (target === undefined || target.inode.metadata.type === 'directory') {
      const what = target === undefined ? 'which does not exist' : 'which is a directory'
      throw new C2mError(
        'C2M_LAYER_LINK',
        `the layer ${entry.layer.tarPath} links ${JSON.stringify(entry.path)} to ${JSON.stringify(wanted)}, ${what}`,
        { hint: 'the image is damaged, or one of its layers is missing' },
      )
    }
    target.inode.nlink++
    this.#add(parent, name, target.inode)
  }

  /** Removes what lower layers put at a name; what this layer put there stays, wherever it stands in the archive. */
  #hide(directory: string, name: string): void {
    const node = this.#find(directory)?.children?.get(name)
    if (node === undefined) return
    if (node.mark === this.#mark) this.#prune(node)
    else this.#remove(node)
  }

  #hideChildren(directory: string): void {
    const node = this.#find(directory)
    if (node !== undefined) this.#free(node)
  }

  /** Leaves of a touched name only what this layer put there. */
  #prune(node: MergedNode): void {
    if (node.inode.metadata.type !== 'directory') return
    // touched for the sake of something below it, its own description is hidden too
    if (layerOf(node) !== this.#layer) node.inode = this.#newInode(IMPLIED_DIRECTORY)
    this.#free(node)
  }

  #free(node: MergedNode): void {
    if (this.#freed.has(node)) return
    this.#freed.add(node)
    for (const child of node.children?.values() ?? []) {
      if (child.mark === this.#mark) this.#prune(child)
      else this.#remove(child)
    }
  }

  /** The directory at `path`, its links followed inside the tree; made, with its parents, where there is none. */
  #makeDirectory(path: string, forEntry: string): MergedNode {
    if (this.#recent?.path === path) return this.#recent.node
    const resolution = this.#resolve(path, { followLast: true, keepMissing: true })
    const node =
      resolution.outcome === 'found'
        ? resolution.dentry
        : resolution.outcome === 'missing'
          ? this.#addDirectories(resolution.trail.at(-1)!, resolution.names)
          : undefined
    if (node?.type !== 'directory') {
      throw new C2mError(
        'C2M_LAYER_PARENT',
        `the layer ${this.#layer?.tarPath} has ${JSON.stringify(forEntry)}, but ${JSON.stringify(path)} is no directory`,
        { hint: 'the image is damaged, or one of its layers is missing' },
      )
    }
    cleanPath(joinPath(resolution.path, baseName(forEntry))) // links may have made it too long
    this.#touch(node)
    this.#recent = { path, node }
    return node
  }

  #addDirectories(parent: MergedNode, names: readonly string[]): MergedNode | undefined {
    if (parent.type !== 'directory') return undefined
    let node = parent
    for (const name of names) node = this.#add(node, name, this.#newInode(IMPLIED_DIRECTORY))
    return node
  }

  #find(path: string): MergedNode | undefined {
    return this.#resolveNode(path, true)
  }

  #lookUp(path: string): MergedNode | undefined {
    return this.#resolveNode(path, false)
  }

  #resolveNode(path: string, followLast: boolean): MergedNode | undefined {
    const resolution = this.#resolve(path, { followLast })
    return resolution.outcome === 'found' ? resolution.dentry : undefined
  }

  #resolve(path: string, options: ResolutionOptions): Exclude<Resolution<MergedNode>, { outcome: 'loop' }> {
    const resolution = resolveSync(this.root, path, options, this.#links)
    if (resolution.outcome !== 'loop') return resolution
    throw new C2mError('C2M_LAYER_LOOP', `symbolic links loop at ${JSON.stringify(path)} in ${this.#layer?.tarPath}`, {
      hint: 'the image is damaged or hostile; pull or export it again',
    })
  }

  #newInode<M extends MergedMetadata>(metadata: M): Inode<M> {
    return { number: ++this.#inodes, metadata, nlink: 1 }
  }

  #add(parent: MergedNode, name: string, inode: Inode<MergedMetadata>): MergedNode {
    this.#budget.addEntry()
    const node = new TreeNode(name, parent, inode)
    parent.children ??= new Map()
    parent.children.set(name, node)
    this.#touch(node)
    return node
  }

  /** Marks a name and its directories as this layer's; where a name is marked, all above it are. */
  #touch(node: MergedNode): void {
    node.mark = this.#mark
    for (let at = node.parent; at !== undefined && at.mark !== this.#mark; at = at.parent) at.mark = this.#mark
  }

  #remove(node: MergedNode): void {
    this.#recent = undefined
    node.parent?.children?.delete(node.name)
    const waiting = [node]
    for (let gone = waiting.pop(); gone !== undefined; gone = waiting.pop()) {
      gone.inode.nlink--
      for (const child of gone.children?.values() ?? []) waiting.push(child)
    }
  }
}

function isDescribed(entry: LayerEntry): entry is DescribedEntry {
  return entry.type !== 'hardlink'
}

function layerOf(node: MergedNode): Layer | undefined {
  return 'layer' in node.inode.metadata ? node.inode.metadata.layer : undefined
}
