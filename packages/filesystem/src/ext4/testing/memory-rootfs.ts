import type { Body, Extent, NewEntry, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { encodeName } from '@c2m/rootfs'

/** Content of a file: bytes, or runs with holes between them and a size. */
export type Content = Uint8Array | { readonly size: number; readonly extents: readonly Extent[] }

export type MemoryEntry = Omit<NewEntry, 'mode'> & {
  readonly mode?: number
  readonly content?: Content
  readonly linkTo?: string
}

interface Node {
  readonly entry: RootfsEntry
  readonly content: Content
}

const NO_CONTENT = new Uint8Array(0)

/** A tree held in memory, for tests: entries in any order, parents are made. `linkTo` makes a hard link of an earlier path. */
export function memoryRootfs(entries: readonly MemoryEntry[]): Rootfs {
  const nodes = new Map<string, Node>()
  const makeDirectory = (path: string): void => {
    if (nodes.has(path)) return
    if (path !== '') makeDirectory(parentOf(path))
    nodes.set(path, makeNode({ path, type: 'directory', mode: 0o755 }, nodes.size))
  }
  makeDirectory('')
  for (const entry of entries) {
    if (entry.path !== '') makeDirectory(parentOf(entry.path))
    const known = entry.linkTo === undefined ? undefined : nodes.get(entry.linkTo)
    if (known === undefined) nodes.set(entry.path, makeNode(entry, nodes.get(entry.path)?.entry.inode ?? nodes.size))
    else nodes.set(entry.path, { ...known, entry: { ...known.entry, path: entry.path } })
  }
  const links = new Map<number, number>()
  for (const { entry } of nodes.values()) links.set(entry.inode, (links.get(entry.inode) ?? 0) + 1)
  const sorted = [...nodes.values()]
    .map(({ entry, content }) => ({ content, entry: { ...entry, nlink: links.get(entry.inode) ?? 1 } }))
    .map((node) => ({ node, key: sortKey(node.entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ node }) => node)
  return new MemoryRootfs(sorted)
}

class MemoryRootfs implements Rootfs {
  readonly #byPath: ReadonlyMap<string, Node>

  constructor(private readonly nodes: readonly Node[]) {
    this.#byPath = new Map(nodes.map((node) => [node.entry.path, node]))
  }

  async *walk(from = ''): AsyncIterable<RootfsEntry> {
    for (const { entry } of this.nodes) {
      if (from === '' || entry.path === from || entry.path.startsWith(`${from}/`)) yield entry
    }
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    return this.#byPath.get(path)?.entry
  }

  async resolve(path: string): Promise<string | undefined> {
    return this.#byPath.has(path) ? path : undefined
  }

  async list(path: string): Promise<readonly string[]> {
    return this.nodes
      .filter(({ entry }) => entry.path !== '' && parentOf(entry.path) === path)
      .map(({ entry }) => entry.path)
  }

  stream(path: string): Body {
    const node = this.#byPath.get(path)
    if (node === undefined) throw new Error(`no such file: ${path}`)
    return bodyOf(node.content)
  }

  async *contents(): AsyncIterable<{ readonly entry: RootfsEntry; readonly body: Body }> {
    const seen = new Set<number>()
    for (const { entry, content } of this.nodes) {
      if (entry.type !== 'file' || seen.has(entry.inode)) continue
      seen.add(entry.inode)
      yield { entry, body: bodyOf(content) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // nothing is held but memory
  }
}

/** In pieces of odd sizes, which reuse their memory as the contract allows. */
async function* bodyOf(content: Content): Body {
  const extents = content instanceof Uint8Array ? [{ offset: 0, data: content }] : content.extents
  const shared = Buffer.alloc(70_001)
  for (const { offset, data } of extents) {
    for (let at = 0; at < data.length; at += shared.length) {
      const piece = data.subarray(at, at + shared.length)
      shared.set(piece)
      yield { offset: offset + at, data: shared.subarray(0, piece.length) }
      shared.fill(0xee)
    }
  }
}

function makeNode({ content = NO_CONTENT, linkTo: _, ...entry }: MemoryEntry, inode: number): Node {
  const size = content instanceof Uint8Array ? content.length : content.size
  return {
    content,
    entry: {
      uid: 0,
      gid: 0,
      mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
      mode: entry.type === 'directory' ? 0o755 : entry.type === 'symlink' ? 0o777 : 0o644,
      ...entry,
      xattrs: entry.xattrs ?? new Map(),
      size: entry.type === 'file' ? size : 0,
      inode,
      nlink: 1,
    },
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** A NUL between names orders a directory before its children and these before its siblings. */
function sortKey(path: string): Uint8Array {
  return path === '' ? Buffer.alloc(0) : encodeName(`\0${path.replaceAll('/', '\0')}`)
}
