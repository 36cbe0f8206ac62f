import type { NewBody, NewEntry, RootfsChange, RootfsEdit, RootfsEntry } from '@c2m/plugin-api'

const NOWHEN = { seconds: 0, nanoseconds: 0 }

/** A tree in memory: a string is a file's text, `-> target` a link, undefined a directory. */
export function memoryRootfs(files: Readonly<Record<string, string | undefined>> = {}): MemoryRootfs {
  const rootfs = new MemoryRootfs()
  for (const [path, content] of Object.entries(files)) rootfs.add(path, content)
  return rootfs
}

export class MemoryRootfs implements RootfsEdit {
  readonly changes: RootfsChange[] = []
  readonly #entries = new Map<string, { entry: RootfsEntry; bytes: Uint8Array }>()
  #inode = 1

  constructor() {
    this.#set({ path: '', type: 'directory', mode: 0o755 })
  }

  add(path: string, content: string | undefined): void {
    if (content === undefined) return this.#set({ path, type: 'directory', mode: 0o755 })
    if (content.startsWith('-> ')) {
      return this.#set({ path, type: 'symlink', mode: 0o777, linkTarget: content.slice('-> '.length) })
    }
    this.#set({ path, type: 'file', mode: 0o644 }, Buffer.from(content))
  }

  /** Text of a file, '-> target' of a link, undefined when there is nothing. */
  show(path: string): string | undefined {
    const found = this.#entries.get(path)
    if (found === undefined) return undefined
    if (found.entry.type === 'symlink') return `-> ${found.entry.linkTarget}`
    return Buffer.from(found.bytes).toString()
  }

  async put(entry: NewEntry, body?: NewBody): Promise<void> {
    this.#set(entry, await bytesOf(body))
    this.changes.push({ path: entry.path, kind: 'changed' })
  }

  async link(from: string, to: string): Promise<void> {
    const found = this.#entries.get(from)
    if (found === undefined) throw new Error(`no such file: ${from}`)
    this.#set({ ...found.entry, path: to }, found.bytes)
  }

  async remove(path: string): Promise<void> {
    for (const name of [...this.#entries.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#entries.delete(name)
    }
  }

  async *walk(from = ''): AsyncIterable<RootfsEntry> {
    for (const name of [...this.#entries.keys()].sort()) {
      const found = this.#entries.get(name)
      if (found !== undefined && (name === from || from === '' || name.startsWith(`${from}/`))) yield found.entry
    }
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const parent = await this.resolve(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
    const name = path.slice(path.lastIndexOf('/') + 1)
    return parent === undefined ? undefined : this.#entries.get(parent === '' ? name : `${parent}/${name}`)?.entry
  }

  async resolve(path: string): Promise<string | undefined> {
    let hops = 0
    let rest = path.split('/')
    let at: string[] = []
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        at.pop()
        continue
      }
      const entry = this.#entries.get([...at, part].join('/'))?.entry
      if (entry === undefined) return undefined
      if (entry.type !== 'symlink') {
        at.push(part)
        continue
      }
      if (++hops > 40) return undefined
      const target = entry.linkTarget ?? ''
      if (target.startsWith('/')) at = []
      rest = [...target.split('/'), ...rest]
    }
    return at.join('/')
  }

  async list(path: string): Promise<readonly string[]> {
    const start = path === '' ? '' : `${path}/`
    const below = [...this.#entries.keys()].filter((name) => name !== '' && name.startsWith(start))
    return below
      .map((name) => name.slice(start.length))
      .filter((name) => name !== '' && !name.includes('/'))
      .sort()
  }

  async *stream(path: string): AsyncIterable<{ offset: number; data: Uint8Array }> {
    const found = this.#entries.get(path)
    if (found?.entry.type !== 'file') throw new Error(`no such file: ${path}`)
    if (found.bytes.length > 0) yield { offset: 0, data: found.bytes }
  }

  async *contents(): AsyncIterable<{ entry: RootfsEntry; body: AsyncIterable<{ offset: number; data: Uint8Array }> }> {
    for await (const entry of this.walk()) if (entry.type === 'file') yield { entry, body: this.stream(entry.path) }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #set(entry: NewEntry, bytes: Uint8Array = new Uint8Array()): void {
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))
    if (entry.path !== '' && !this.#entries.has(parent)) this.#set({ path: parent, type: 'directory', mode: 0o755 })
    this.#entries.set(entry.path, {
      entry: {
        uid: 0,
        gid: 0,
        mtime: NOWHEN,
        nlink: 1,
        inode: this.#inode++,
        ...entry,
        xattrs: entry.xattrs ?? new Map(),
        size: bytes.length,
      },
      bytes,
    })
  }
}

async function bytesOf(body: NewBody | undefined): Promise<Uint8Array> {
  if (body === undefined || body instanceof Uint8Array) return body ?? new Uint8Array()
  const bytes = new Uint8Array(body.size)
  for await (const { offset, data } of body.open()) bytes.set(data, offset)
  return bytes
}
