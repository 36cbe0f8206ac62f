import type { Body, EntryType, Rootfs, RootfsEntry, Timestamp } from '@c2m/plugin-api'

export interface MemoryEntry {
  readonly type?: EntryType
  readonly content?: Uint8Array | string
  /** Bytes of a file whose content is a hole. */
  readonly size?: number
  readonly mtime?: Timestamp
}

/** A tree from a list of paths; parents are made. Enough of a Rootfs for a writer to be tested with. */
export function memoryRootfs(files: Readonly<Record<string, MemoryEntry | string>>): Rootfs {
  const entries = new Map<string, RootfsEntry>()
  const contents = new Map<string, Uint8Array>()
  const add = (path: string, given: MemoryEntry) => {
    const content = Buffer.from(given.content ?? '')
    const type = given.type ?? 'file'
    entries.set(path, {
      path,
      type,
      mode: type === 'directory' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: given.mtime ?? { seconds: 1_600_000_001, nanoseconds: 0 },
      size: type === 'file' ? (given.size ?? content.length) : 0,
      ...(type === 'symlink' ? { linkTarget: 'target' } : {}),
      inode: entries.size + 1,
      nlink: 1,
      xattrs: new Map(),
    })
    contents.set(path, content)
  }
  add('', { type: 'directory' })
  for (const [path, given] of Object.entries(files)) {
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/')
      if (!entries.has(parent)) add(parent, { type: 'directory' })
    }
    add(path, typeof given === 'string' ? { content: given } : given)
  }
  const children = new Map<string, string[]>()
  for (const path of [...entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    if (path !== '') children.set(parentOf(path), [...(children.get(parentOf(path)) ?? []), path])
  }
  const list = (path: string) => children.get(path) ?? []
  async function* walk(from = ''): AsyncIterable<RootfsEntry> {
    const entry = entries.get(from)
    if (entry === undefined) return
    yield entry
    for (const child of list(from)) yield* walk(child)
  }
  async function* stream(path: string): Body {
    const content = contents.get(path)
    if (content === undefined) throw new Error(`no ${path}`)
    // in pieces, as real trees give them
    for (let offset = 0; offset < content.length; offset += 10_000) {
      yield { offset, data: content.subarray(offset, offset + 10_000) }
    }
  }
  return {
    walk,
    stream,
    stat: async (path) => entries.get(path),
    resolve: async (path) => (entries.has(path) ? path : undefined),
    list: async (path) => list(path).map((child) => child.slice(child.lastIndexOf('/') + 1)),
    async *contents() {
      for await (const entry of walk()) if (entry.type === 'file') yield { entry, body: stream(entry.path) }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
