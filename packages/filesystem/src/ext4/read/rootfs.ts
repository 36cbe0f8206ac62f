import type { Body, EntryType, Extent, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { DentryRootfs, type Dentry } from '@c2m/rootfs'
import { ROOT_INODE } from '../constants.js'
import { BlockLedger } from './block-run.js'
import { planFile } from './content/file-plan.js'
import { ReadAhead, type PlannedFile } from './content/read-ahead.js'
import { DirectoryCache } from './directory-cache.js'
import { FileCollector, type FileList } from './file-list.js'
import type { FileSystem } from './file-system.js'
import { isEncrypted } from './inode-reader.js'
import type { Ext4Summary } from './probe.js'
import { deviceOf, modificationTime, type StoredInode } from './stored-inode.js'
import { readSymlink } from './symlink.js'
import { walkTree, type Visit } from './tree-walk.js'
import { XattrReader, type Xattrs } from './xattrs.js'

/** The tree of an ext2, ext3 or ext4 file system, read where it stands. */
export interface Ext4Rootfs extends Rootfs {
  /** As it is after the journal was replayed. */
  readonly summary: Ext4Summary
}

export class FileSystemRootfs extends DentryRootfs<InodeDentry> implements Ext4Rootfs {
  readonly summary: Ext4Summary
  readonly #fileSystem: FileSystem
  readonly #directories: DirectoryCache
  readonly #xattrs: XattrReader
  #saidEncrypted = false
  #files: FileList | undefined

  constructor(fileSystem: FileSystem, summary: Ext4Summary) {
    super(fileSystem.signal)
    this.summary = summary
    this.#fileSystem = fileSystem
    this.#directories = new DirectoryCache(fileSystem)
    this.#xattrs = new XattrReader(fileSystem)
  }

  top(): Promise<InodeDentry> {
    return this.#dentry('', ROOT_INODE)
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const place = await this.locate(from)
    if (place === undefined) return
    const start = { path: place.path, inode: place.dentry.inode }
    const files = start.path === '' && this.#files === undefined ? new FileCollector(this.#fileSystem) : undefined
    for await (const visit of walkTree(start, this.#fileSystem)) {
      this.#noticeEncrypted(visit)
      await files?.take(visit)
      yield await this.entry(visit)
    }
    this.#files ??= files?.list
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    const list = await this.#listFiles()
    const { source, signal } = this.#fileSystem
    const reader = new ReadAhead(this.#planAll(list), source, signal)
    let current: Visit | undefined
    try {
      for (current = await reader.nextFile(); current !== undefined; current = await reader.nextFile()) {
        const visit = current
        const body = { [Symbol.asyncIterator]: () => readBody(reader, visit.path, () => current === visit) }
        yield { entry: await this.entry(visit), body }
      }
    } finally {
      current = undefined
      await reader.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    // the source belongs to whom it was taken from
    return Promise.resolve()
  }

  async child(directory: InodeDentry, name: string): Promise<InodeDentry | undefined> {
    const { inode, path } = directory
    if (inode.type !== 'directory') return undefined
    const number = await this.#directories.find(inode, path, name)
    return number === undefined ? undefined : this.#dentry(path === '' ? name : `${path}/${name}`, number)
  }

  async names({ inode, path }: InodeDentry): Promise<readonly string[]> {
    return inode.type === 'directory' ? this.#directories.names(inode, path) : []
  }

  async #dentry(path: string, number: number): Promise<InodeDentry> {
    const place = { inode: number, path }
    const inode = await this.#fileSystem.inodes.read(place)
    const target = inode.type === 'symlink' ? await readSymlink(inode, place, this.#fileSystem) : undefined
    return new InodeDentry(this, inode, path, target)
  }

  entry({ path, inode }: Visit): RootfsEntry | Promise<RootfsEntry> {
    const place = { inode: inode.number, path }
    const xattrs = this.#xattrs.read(inode, place)
    if (inode.type !== 'symlink') {
      return xattrs instanceof Promise
        ? xattrs.then((read) => makeEntry(path, inode, read))
        : makeEntry(path, inode, xattrs)
    }
    return this.#linkEntry(path, inode, xattrs)
  }

  async #linkEntry(path: string, inode: StoredInode, xattrs: Xattrs | Promise<Xattrs>): Promise<RootfsEntry> {
    const place = { inode: inode.number, path }
    return {
      ...makeEntry(path, inode, await xattrs),
      linkTarget: await readSymlink(inode, place, this.#fileSystem),
    }
  }

  #noticeEncrypted({ path, inode }: Visit): void {
    if (this.#saidEncrypted || !isEncrypted(inode)) return
    this.#saidEncrypted = true
    this.#fileSystem.notice(
      `${JSON.stringify(`/${path}`)} is encrypted: names below it are shown as the kernel shows them without the key, and files there cannot be read`,
    )
  }

  /** All regular files; a walk of the whole tree has met them already. */
  async #listFiles(): Promise<FileList> {
    if (this.#files !== undefined) return this.#files
    const files = new FileCollector(this.#fileSystem)
    const { inode } = await this.top()
    for await (const visit of walkTree({ path: '', inode }, this.#fileSystem)) await files.take(visit)
    this.#files = files.list
    return files.list
  }

  async *#planAll(list: FileList): AsyncGenerator<PlannedFile<Visit>> {
    const ledger = new BlockLedger(this.#fileSystem.volume)
    for (const { path, inode: number } of list.inOrder()) {
      const place = { inode: number, path }
      const stored = this.#fileSystem.inodes.peek(place) ?? (await this.#fileSystem.inodes.read(place))
      // many wait to be read: none of them shall keep a chunk of the inode table alive
      const inode = { ...stored, raw: Buffer.from(stored.raw) }
      yield { file: { path, inode }, plan: () => planFile(inode, place, this.#fileSystem, ledger) }
    }
  }

  async *read(path: string, inode: StoredInode): AsyncGenerator<Extent> {
    const place = { inode: inode.number, path }
    const files = [{ file: inode, plan: () => planFile(inode, place, this.#fileSystem) }]
    const reader = new ReadAhead(files, this.#fileSystem.source, this.#fileSystem.signal)
    try {
      await reader.nextFile()
      yield* readBody(reader, path, () => true)
    } finally {
      await reader.close()
    }
  }
}

class InodeDentry implements Dentry {
  constructor(
    readonly tree: FileSystemRootfs,
    readonly inode: StoredInode,
    /** By which it was found, for errors. */
    readonly path: string,
    readonly linkTarget: string | undefined,
  ) {}

  get type(): EntryType {
    return this.inode.type
  }

  child(name: string): Promise<InodeDentry | undefined> {
    return this.tree.child(this, name)
  }

  names(): Promise<readonly string[]> {
    return this.tree.names(this)
  }

  entry(path: string): RootfsEntry | Promise<RootfsEntry> {
    return this.tree.entry({ path, inode: this.inode })
  }

  body(path: string): Body {
    return { [Symbol.asyncIterator]: () => this.tree.read(path, this.inode) }
  }
}

async function* readBody<F>(reader: ReadAhead<F>, path: string, isCurrent: () => boolean): AsyncGenerator<Extent> {
  for (;;) {
    if (!isCurrent()) throw passed(path)
    const extent = await reader.nextExtent()
    if (extent === undefined) return
    yield extent
  }
}

function makeEntry(path: string, inode: StoredInode, xattrs: Xattrs): RootfsEntry {
  const { type, mode, uid, gid, links } = inode
  const entry = {
    path,
    type,
    mode,
    uid,
    gid,
    mtime: modificationTime(inode),
    size: type === 'file' ? inode.size : 0,
    inode: inode.number,
    nlink: type === 'directory' ? 1 : links,
    xattrs,
  }
  return isDevice(type) ? { ...entry, device: deviceOf(inode) } : entry
}

function isDevice(type: EntryType): boolean {
  return type === 'character' || type === 'block'
}

function passed(path: string): C2mError {
  return new C2mError('C2M_BODY_PASSED', `the body of ${JSON.stringify(path)} was asked for too late`, {
    hint: 'read a body before asking for the next one, or use stream()',
  })
}
