import type { Body, Extent, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { checkIsFile, followLinks, locate, type LookUp } from './lookup.js'
import {
  entryOf,
  findNode,
  firstNames,
  pathOf,
  sortedChildren,
  walkNodes,
  type Metadata,
  type TreeNode,
} from './node.js'

/** Where the bytes of a tree's files are. */
export interface BodyStore<M extends Metadata> extends AsyncDisposable {
  stream(node: TreeNode<M>): Body
  /** All of `nodes`' bodies, in the order in which they are stored. */
  contents(nodes: readonly TreeNode<M>[]): AsyncIterable<{ readonly node: TreeNode<M>; readonly body: Body }>
}

/** A tree whose names and metadata are in memory. */
export class TreeRootfs<M extends Metadata> implements Rootfs {
  readonly #root: TreeNode<M>
  readonly #store: BodyStore<M>

  constructor(root: TreeNode<M>, store: BodyStore<M>) {
    this.#root = root
    this.#store = store
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await this.#node(from)
    if (start === undefined) return
    for (const { node, path } of walkNodes(start)) yield entryOf(node.inode, path)
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const node = await this.#node(path)
    return node === undefined ? undefined : entryOf(node.inode, pathOf(node))
  }

  resolve(path: string): Promise<string | undefined> {
    return followLinks(this.#lookUp, path)
  }

  async list(path: string): Promise<readonly string[]> {
    const node = await this.#node(path)
    return node === undefined ? [] : sortedChildren(node).map((child) => child.name)
  }

  stream(path: string): Body {
    return { [Symbol.asyncIterator]: () => this.#read(path) }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for await (const { node, body } of this.#store.contents(firstNames(this.#root))) {
      yield { entry: entryOf(node.inode, pathOf(node)), body }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#store[Symbol.asyncDispose]())
  }

  readonly #lookUp: LookUp = async (path) => findNode(this.#root, path)?.inode.metadata

  async #node(path: string): Promise<TreeNode<M> | undefined> {
    const located = await locate(this.#lookUp, path)
    return located === undefined ? undefined : findNode(this.#root, located)
  }

  async *#read(path: string): AsyncGenerator<Extent> {
    const node = await this.#node(path)
    checkIsFile(node?.inode.metadata, path)
    if (node !== undefined) yield* this.#store.stream(node)
  }
}
