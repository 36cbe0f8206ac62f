import type { Body, NewBody, RootfsEntry } from '@c2m/plugin-api'
import { compareNames } from '../name/order.js'
import { joinPath } from '../name/path.js'
import { whenReady, type Dentry } from '../tree/dentry.js'
import { entryOf, type Metadata } from '../tree/node.js'

/** What a name that was put or linked stands for: a file of its own, or one of the base under another name. */
export type Content =
  | { readonly kind: 'own'; readonly inode: number; readonly metadata: Metadata; readonly body: NewBody | undefined }
  | { readonly kind: 'base'; readonly path: string; readonly dentry: Dentry }

/** A name that an edit touched, or a directory above one. */
export interface OverlayNode {
  /** Undefined: the base's own entry, or nothing when that is hidden. */
  content: Content | undefined
  /** The base's entry of this name, and all below it, does not show through. */
  hidesBase: boolean
  /** Whether the base has this name. */
  readonly inBase: boolean
  readonly children: Map<string, OverlayNode>
}

export function overlayNode(inBase: boolean): OverlayNode {
  return { content: undefined, hidesBase: false, inBase, children: new Map() }
}

/** What the dentries of one edit share. */
export interface OverlayTree {
  /** An entry with the number of names that its file has in the edited tree. */
  counted(entry: RootfsEntry): RootfsEntry
}

/** A name of the edited tree; there are none of names that do not exist. */
export class OverlayDentry implements Dentry {
  constructor(
    readonly tree: OverlayTree,
    /** Undefined where the edit touched nothing. */
    public node: OverlayNode | undefined,
    /** What the base has at this path, where it shows through: its own entry, or only what is below it. */
    readonly base: Dentry | undefined,
  ) {}

  get type(): Dentry['type'] {
    const content = this.node?.content
    return content?.kind === 'own' ? content.metadata.type : this.#shown.type
  }

  get linkTarget(): string | undefined {
    const content = this.node?.content
    return content?.kind === 'own' ? content.metadata.linkTarget : this.#shown.linkTarget
  }

  get mayHaveHoles(): boolean | undefined {
    return this.node?.content?.kind === 'own' ? undefined : this.#shown.mayHaveHoles
  }

  child(name: string): OverlayDentry | undefined | Promise<OverlayDentry | undefined> {
    const node = this.node?.children.get(name)
    const found = node?.hidesBase === true ? undefined : this.baseBelow?.child(name)
    return whenReady(found, (base) =>
      node?.content === undefined && base === undefined ? undefined : new OverlayDentry(this.tree, node, base),
    )
  }

  names(): readonly string[] | Promise<readonly string[]> {
    return whenReady(this.baseBelow?.names() ?? [], (inBase) => {
      const children = this.node?.children
      if (children === undefined || children.size === 0) return inBase
      const names = new Set(inBase)
      for (const [name, child] of children) {
        if (child.content !== undefined) names.add(name)
        else if (child.hidesBase) names.delete(name)
      }
      return [...names].sort(compareNames)
    })
  }

  entry(path: string): RootfsEntry | Promise<RootfsEntry> {
    const content = this.node?.content
    if (content?.kind === 'own') return this.tree.counted(entryOfContent(content, path))
    return whenReady(this.#shown.entry(path), (entry) => this.tree.counted({ ...entry, path }))
  }

  body(path: string): Body {
    const content = this.node?.content
    if (content?.kind === 'own') return bodyOf(content.body)
    return this.#shown.body(content?.path ?? path)
  }

  /** The base's directory whose children show through, also when the directory itself was put anew. */
  get baseBelow(): Dentry | undefined {
    // below a name that became something else, the base's names of the same path are others
    const content = this.node?.content
    return content !== undefined && !isDirectory(content) ? undefined : this.base
  }

  /** What of the base this name is. */
  get #shown(): Dentry {
    const content = this.node?.content
    const dentry = content?.kind === 'base' ? content.dentry : this.base
    if (dentry === undefined) throw new Error('a name that does not exist was looked up')
    return dentry
  }
}

export function isDirectory(content: Content): boolean {
  return content.kind === 'own' && content.metadata.type === 'directory'
}

export function entryOfContent(content: Content & { kind: 'own' }, path: string): RootfsEntry {
  return entryOf({ number: content.inode, metadata: content.metadata, nlink: 1 }, path)
}

/** Every touched name in the order of a walk. */
export function* walkOverlay(root: OverlayNode): Generator<{ node: OverlayNode; path: string }> {
  const waiting = [{ node: root, path: '' }]
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit
    const { node, path } = visit
    for (const name of [...node.children.keys()].sort(compareNames).reverse()) {
      waiting.push({ node: node.children.get(name)!, path: joinPath(path, name) })
    }
  }
}

/** Whether the base's own entry of a path, which is free of links, shows through. */
export function showsBase(root: OverlayNode, path: string): boolean {
  let node: OverlayNode | undefined = root
  for (const name of path === '' ? [] : path.split('/')) {
    if (node.content !== undefined && !isDirectory(node.content)) return false
    node = node.children.get(name)
    if (node === undefined) return true
    if (node.hidesBase) return false
  }
  return node.content === undefined && !node.hidesBase
}

async function* openBody(body: NewBody | undefined): AsyncGenerator<{ offset: number; data: Uint8Array }> {
  if (body === undefined) return
  if (!(body instanceof Uint8Array)) yield* body.open()
  else if (body.length > 0) yield { offset: 0, data: body }
}

export function bodyOf(body: NewBody | undefined): Body {
  return { [Symbol.asyncIterator]: () => openBody(body) }
}

export function bodySize(body: NewBody | undefined): number {
  if (body === undefined) return 0
  return body instanceof Uint8Array ? body.length : body.size
}
