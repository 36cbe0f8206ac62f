import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { baseName, parentOf } from '../name/path.js'
import { findNode, pathOf, TreeNode, type Inode, type Metadata } from './node.js'
import { TreeRootfs, type BodyStore } from './tree-rootfs.js'

/**
 * The same tree, its names and metadata read once and kept: for a tree that is looked at many times and is slow to walk, as
 * a file system on a disk is. Bodies stay where they are. The tree stays its owner's to dispose, and must not change.
 * @param signal ends walks of what is remembered
 */
export async function rememberRootfs(rootfs: Rootfs, signal?: AbortSignal): Promise<Rootfs> {
  const root = await readNodes(rootfs)
  return root === undefined ? rootfs : new TreeRootfs(root, new RememberedBodies(rootfs, root), signal)
}

async function readNodes(rootfs: Rootfs): Promise<TreeNode<Metadata> | undefined> {
  const inodes = new Map<number, Inode<Metadata>>()
  let root: TreeNode<Metadata> | undefined
  let parent: TreeNode<Metadata> | undefined
  let parentPath = ''
  for await (const entry of rootfs.walk()) {
    if (root === undefined) {
      root = parent = nodeOf(entry, undefined, inodes)
      continue
    }
    const above = parentOf(entry.path)
    if (above !== parentPath) {
      parent = findNode(root, above)
      parentPath = above
    }
    // a walk gives a directory before what is in it
    const node = nodeOf(entry, parent, inodes)
    if (parent !== undefined) (parent.children ??= new Map()).set(node.name, node)
  }
  return root
}

function nodeOf(
  entry: RootfsEntry,
  parent: TreeNode<Metadata> | undefined,
  inodes: Map<number, Inode<Metadata>>,
): TreeNode<Metadata> {
  return new TreeNode(baseName(entry.path), parent, inodeOf(entry, inodes))
}

function inodeOf(entry: RootfsEntry, inodes: Map<number, Inode<Metadata>>): Inode<Metadata> {
  const { type, mode, uid, gid, mtime, size, linkTarget, device, xattrs, inode: number, nlink } = entry
  const known = inodes.get(number)
  if (known !== undefined) return known
  const inode = { number, metadata: { type, mode, uid, gid, mtime, size, linkTarget, device, xattrs }, nlink }
  if (nlink > 1 && type !== 'directory') inodes.set(number, inode)
  return inode
}

class RememberedBodies implements BodyStore<Metadata> {
  constructor(
    private readonly rootfs: Rootfs,
    private readonly root: TreeNode<Metadata>,
  ) {}

  stream(node: TreeNode<Metadata>): Body {
    return this.rootfs.stream(pathOf(node))
  }

  async *contents(): AsyncGenerator<{ node: TreeNode<Metadata>; body: Body }> {
    for await (const { entry, body } of this.rootfs.contents()) {
      const node = findNode(this.root, entry.path)
      if (node !== undefined) yield { node, body }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the tree is its owner's to dispose
  }
}
