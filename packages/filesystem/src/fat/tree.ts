import type { Rootfs, RootfsEntry, Timestamp } from '@c2m/plugin-api'
import { C2mError, throwIfAborted } from '@c2m/process'
import { ENTRY_SIZE, MAX_ENTRIES, entriesFor } from './directory.js'
import { ROOT_CLUSTER } from './geometry.js'
import { assignNames, caseKey, problemOfName, type FatName } from './name.js'

/** A file or directory on its way to FAT. */
export interface FatNode {
  readonly path: string
  readonly parent: FatNode | undefined
  readonly isDirectory: boolean
  readonly mtime: Timestamp
  /** Bytes: a file's content, or a directory's entries. */
  size: number
  /** In the tree's order. */
  readonly children: FatNode[]
  /** The children's names on FAT, in the same order. */
  names: readonly FatName[]
  /** 0 for an empty file. */
  firstCluster: number
  clusters: number
}

const MAX_FILE = 0xffffffff
const EPOCH: Timestamp = { seconds: 0, nanoseconds: 0 }
const RENAME = 'rename it, or move it to another partition'

/**
 * All of a tree, the root first, a directory before its children.
 * @throws C2M_FAT_NAME, C2M_FAT_DUPLICATE, C2M_FAT_TYPE, C2M_FAT_FILE_SIZE, C2M_FAT_DIRECTORY for what FAT cannot hold
 */
export async function scan(rootfs: Rootfs, signal: AbortSignal | undefined): Promise<readonly FatNode[]> {
  // the root is there even if the tree has none, as below a mount point that does not exist
  const root = newNode('', undefined, true, EPOCH, 0)
  const nodes = [root]
  const directories = new Map([['', root]])
  for await (const entry of rootfs.walk()) {
    throwIfAborted(signal)
    const node = nodeFor(entry, directories.get(parentPath(entry.path)))
    if (node.path === '') continue
    nodes.push(node)
    node.parent?.children.push(node)
    if (node.isDirectory) directories.set(node.path, node)
  }
  for (const directory of directories.values()) nameChildren(directory)
  return nodes
}

function nodeFor(entry: RootfsEntry, parent: FatNode | undefined): FatNode {
  const { path, type, mtime } = entry
  const isDirectory = type === 'directory'
  if (!isDirectory && type !== 'file') {
    throw new C2mError(
      'C2M_FAT_TYPE',
      `${path || 'the top of the tree'} is a ${type}; FAT has files and directories only`,
      {
        hint: 'replace it by a file, or move it to another partition',
      },
    )
  }
  const problem = path === '' ? undefined : problemOfName(baseName(path))
  if (problem !== undefined)
    throw new C2mError('C2M_FAT_NAME', `FAT cannot hold ${path}: its name ${problem}`, { hint: RENAME })
  if (!isDirectory && entry.size > MAX_FILE) {
    throw new C2mError('C2M_FAT_FILE_SIZE', `${path} has ${entry.size} bytes; a file on FAT has less than 4 GiB`, {
      hint: 'move it to another partition',
    })
  }
  return newNode(path, parent, isDirectory, mtime, isDirectory ? 0 : entry.size)
}

function newNode(
  path: string,
  parent: FatNode | undefined,
  isDirectory: boolean,
  mtime: Timestamp,
  size: number,
): FatNode {
  return { path, parent, isDirectory, mtime, size, children: [], names: [], firstCluster: 0, clusters: 0 }
}

function nameChildren(directory: FatNode): void {
  const byKey = new Map<string, FatNode>()
  for (const child of directory.children) {
    const key = caseKey(baseName(child.path))
    const twin = byKey.get(key)
    if (twin !== undefined) {
      const message = `${twin.path} and ${child.path} differ in case only, which FAT does not tell apart`
      throw new C2mError('C2M_FAT_DUPLICATE', message, { hint: RENAME })
    }
    byKey.set(key, child)
  }
  directory.names = assignNames(directory.children.map(({ path }) => baseName(path)))
  // the root has the label, every other directory '.' and '..'
  const own = directory.parent === undefined ? 1 : 2
  const entries = directory.names.reduce((sum, name) => sum + entriesFor(name), own)
  if (entries > MAX_ENTRIES) {
    throw new C2mError('C2M_FAT_DIRECTORY', `the directory '${directory.path}' has more names than FAT can hold`, {
      hint: 'spread its files over several directories',
    })
  }
  directory.size = entries * ENTRY_SIZE
}

/** Gives every node its place, one after the other from the root's cluster on. Returns the number of clusters used. */
export function allocate(nodes: readonly FatNode[], bytesPerCluster: number): number {
  let next = ROOT_CLUSTER
  for (const node of nodes) {
    node.clusters = Math.ceil(node.size / bytesPerCluster)
    node.firstCluster = node.clusters === 0 ? 0 : next
    next += node.clusters
  }
  return next - ROOT_CLUSTER
}

function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
