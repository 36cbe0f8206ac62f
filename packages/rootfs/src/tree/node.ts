import type { RootfsEntry } from '@c2m/plugin-api'
import { compareNames } from '../name/order.js'
import { joinPath } from '../name/path.js'
import type { Step } from '../name/resolution.js'

export type Metadata = Omit<RootfsEntry, 'path' | 'inode' | 'nlink'>

/** What the names of one file share. */
export interface Inode<M extends Metadata> {
  readonly number: number
  readonly metadata: M
  /** Names of the file; 1 for a directory. */
  nlink: number
}

/** One name in a tree that is held in memory: about 100 bytes, with its place in its directory. */
export class TreeNode<M extends Metadata> implements Step<TreeNode<M>> {
  readonly name: string
  readonly parent: TreeNode<M> | undefined
  inode: Inode<M>
  /** Of a directory that is not empty. */
  children: Map<string, TreeNode<M>> | undefined = undefined
  /** For whoever builds the tree: which layer touched this name last. */
  mark = 0

  constructor(name: string, parent: TreeNode<M> | undefined, inode: Inode<M>) {
    this.name = name
    this.parent = parent
    this.inode = inode
  }

  get type(): M['type'] {
    return this.inode.metadata.type
  }

  get linkTarget(): string | undefined {
    return this.inode.metadata.linkTarget
  }

  child(name: string): TreeNode<M> | undefined {
    return this.children?.get(name)
  }
}

export function pathOf<M extends Metadata>(node: TreeNode<M>): string {
  const names: string[] = []
  for (let at = node; at.parent !== undefined; at = at.parent) names.push(at.name)
  return names.reverse().join('/')
}

/** By a path that is free of links. */
export function findNode<M extends Metadata>(root: TreeNode<M>, path: string): TreeNode<M> | undefined {
  if (path === '') return root
  let node: TreeNode<M> | undefined = root
  for (const name of path.split('/')) {
    node = node.child(name)
    if (node === undefined) return undefined
  }
  return node
}

export function sortedChildren<M extends Metadata>(node: TreeNode<M>): TreeNode<M>[] {
  if (node.children === undefined) return []
  return [...node.children.values()].sort((a, b) => compareNames(a.name, b.name))
}

export interface Visit<M extends Metadata> {
  readonly node: TreeNode<M>
  readonly path: string
}

/** Depth first, a directory before its children, siblings by raw name bytes. */
export function* walkNodes<M extends Metadata>(from: TreeNode<M>): Generator<Visit<M>> {
  const waiting: Visit<M>[] = [{ node: from, path: pathOf(from) }]
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit
    const children = sortedChildren(visit.node)
    for (let index = children.length - 1; index >= 0; index--) {
      const node = children[index]!
      waiting.push({ node, path: joinPath(visit.path, node.name) })
    }
  }
}

export function entryOf<M extends Metadata>(inode: Inode<M>, path: string): RootfsEntry {
  const { type, mode, uid, gid, mtime, size, linkTarget, device, xattrs } = inode.metadata
  const entry = { path, type, mode, uid, gid, mtime, size, inode: inode.number, nlink: inode.nlink, xattrs }
  if (linkTarget !== undefined) return { ...entry, linkTarget }
  return device === undefined ? entry : { ...entry, device }
}
