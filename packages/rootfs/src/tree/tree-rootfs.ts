import type { Body, RootfsEntry } from '@c2m/plugin-api'
import { turnEventLoop } from '@c2m/process'
import { TreeBudget } from './budget.js'
import { DentryRootfs, type Dentry } from './dentry.js'
import { entryOf, pathOf, sortedChildren, walkNodes, type Inode, type Metadata, type TreeNode } from './node.js'

/** Where the bytes of a tree's files are. */
export interface BodyStore<M extends Metadata> extends AsyncDisposable {
  stream(node: TreeNode<M>): Body
  /** All of `nodes`' bodies, in the order in which they are stored. */
  contents(nodes: readonly TreeNode<M>[]): AsyncIterable<{ readonly node: TreeNode<M>; readonly body: Body }>
  /** Where it is known without reading. */
  mayHaveHoles?(node: TreeNode<M>): boolean
}

/** A tree whose names and metadata are in memory. */
export class TreeRootfs<M extends Metadata> extends DentryRootfs<NodeDentry<M>> {
  readonly #root: TreeNode<M>
  readonly #store: BodyStore<M>

  constructor(root: TreeNode<M>, store: BodyStore<M>, signal?: AbortSignal) {
    super(signal)
    this.#root = root
    this.#store = store
  }

  top(): NodeDentry<M> {
    return new NodeDentry(this.#root, this.#store)
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await this.locate(from)
    if (start === undefined) return
    const budget = new TreeBudget('the image')
    for (const { node, path } of walkNodes(start.dentry.node)) {
      const turn = turnEventLoop(this.signal)
      if (turn !== undefined) await turn
      budget.addEntry(path.length)
      yield entryOf(node.inode, path)
    }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for await (const { node, body } of this.#store.contents(await this.#firstNames())) {
      const turn = turnEventLoop(this.signal)
      if (turn !== undefined) await turn
      yield { entry: entryOf(node.inode, pathOf(node)), body }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#store[Symbol.asyncDispose]())
  }

  /** The nodes of all regular files; of a hard-link group only the first name that a walk meets. */
  async #firstNames(): Promise<TreeNode<M>[]> {
    const seen = new Set<Inode<M>>()
    const nodes: TreeNode<M>[] = []
    for (const { node } of walkNodes(this.#root)) {
      const turn = turnEventLoop(this.signal)
      if (turn !== undefined) await turn
      if (node.type !== 'file' || seen.has(node.inode)) continue
      if (node.inode.nlink > 1) seen.add(node.inode)
      nodes.push(node)
    }
    return nodes
  }
}

class NodeDentry<M extends Metadata> implements Dentry {
  constructor(
    readonly node: TreeNode<M>,
    readonly store: BodyStore<M>,
  ) {}

  get type(): M['type'] {
    return this.node.type
  }

  get linkTarget(): string | undefined {
    return this.node.linkTarget
  }

  child(name: string): NodeDentry<M> | undefined {
    const node = this.node.child(name)
    return node && new NodeDentry(node, this.store)
  }

  names(): readonly string[] {
    return sortedChildren(this.node).map(({ name }) => name)
  }

  entry(path: string): RootfsEntry {
    return entryOf(this.node.inode, path)
  }

  get mayHaveHoles(): boolean | undefined {
    return this.store.mayHaveHoles?.(this.node)
  }

  body(): Body {
    return this.store.stream(this.node)
  }
}
