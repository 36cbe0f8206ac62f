import type { BigIntStats } from 'node:fs'
import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import type { EntryType, Rootfs } from '@c2m/plugin-api'
import { C2mError, fileError, throwIfAborted } from '@c2m/process'
import { decodeName } from '../name/bytes.js'
import { cleanPath, joinPath } from '../name/path.js'
import { NO_XATTRS } from '../tar/member.js'
import { TreeBudget } from '../tree/budget.js'
import { TreeNode, type Inode } from '../tree/node.js'
import { TreeRootfs } from '../tree/tree-rootfs.js'
import { diskPath, type DirectoryMetadata, type DirectoryNode } from './directory-node.js'
import { DirectoryStore } from './directory-store.js'
import { readExtendedAttributes } from './extended-attributes.js'

const BILLION = 1_000_000_000n
const BLOCK_UNIT = 512n

/**
 * A directory of this host as a tree, as it is now: names and metadata are read at once, bodies when asked for. Links are
 * never followed, and it must not change meanwhile. Other file systems mounted below it are part of it.
 * @param options.attributes whether extended attributes are read; default: they are
 * @param options.signal ends the reading, and walks of the tree
 * @throws C2M_FILE_… when something cannot be read; C2M_TOOL_MISSING without getfattr, when attributes are read;
 *   C2M_TREE_TOO_LARGE; C2M_INTERRUPTED
 */
export async function openDirectory(
  path: string,
  { attributes = true, signal }: { readonly attributes?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Rootfs> {
  const top = await realpath(path).catch((error: unknown) => {
    throw fileError(error, path, 'read')
  })
  if (!(await lstat(top)).isDirectory()) {
    throw new C2mError('C2M_FILE_ENOTDIR', `cannot read ${path}: it is no directory`, {
      hint: 'name the folder that holds the root file system',
    })
  }
  const budget = new TreeBudget(path)
  const scan = new Scan(top, attributes ? await readExtendedAttributes(top, budget, signal) : new Map(), budget, signal)
  return new TreeRootfs(await scan.run(), new DirectoryStore(top), signal)
}

class Scan {
  readonly #top: string
  readonly #attributes: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>
  /** By device and inode number, files that have several names. */
  readonly #linked = new Map<string, Inode<DirectoryMetadata>>()
  readonly #budget: TreeBudget
  readonly #signal: AbortSignal | undefined
  #inodes = 0

  constructor(
    top: string,
    attributes: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>,
    budget: TreeBudget,
    signal: AbortSignal | undefined,
  ) {
    this.#top = top
    this.#attributes = attributes
    this.#budget = budget
    this.#signal = signal
  }

  async run(): Promise<DirectoryNode> {
    const root = await this.#node('', undefined, '')
    const waiting = [{ node: root, path: '' }]
    for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
      if (visit.node.inode.metadata.type !== 'directory') continue
      const names = (await this.#ask(visit.path, (at) => readdir(at, { encoding: 'buffer' }))).map(decodeName)
      if (names.length > 0) visit.node.children = new Map()
      for (const name of names) {
        throwIfAborted(this.#signal)
        const path = cleanPath(joinPath(visit.path, name))
        this.#budget.addEntry(path.length)
        const node = await this.#node(name, visit.node, path)
        visit.node.children?.set(name, node)
        waiting.push({ node, path })
      }
    }
    return root
  }

  async #node(name: string, parent: DirectoryNode | undefined, path: string): Promise<DirectoryNode> {
    return new TreeNode(name, parent, await this.#inode(path))
  }

  async #inode(path: string): Promise<Inode<DirectoryMetadata>> {
    const stats = await this.#ask(path, (at) => lstat(at, { bigint: true }))
    const key = `${stats.dev}:${stats.ino}`
    const known = this.#linked.get(key)
    if (known !== undefined) {
      known.nlink++
      return known
    }
    // names of the file outside of the directory do not count
    const inode = { number: ++this.#inodes, metadata: await this.#metadata(path, stats), nlink: 1 }
    if (stats.nlink > 1n && !stats.isDirectory()) this.#linked.set(key, inode)
    return inode
  }

  async #metadata(path: string, stats: BigIntStats): Promise<DirectoryMetadata> {
    const type = typeOf(stats)
    const seconds = floorDivide(stats.mtimeNs, BILLION)
    return {
      type,
      mode: Number(stats.mode & 0o7777n),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      mtime: { seconds: Number(seconds), nanoseconds: Number(stats.mtimeNs - seconds * BILLION) },
      size: type === 'file' ? Number(stats.size) : 0,
      linkTarget: type === 'symlink' ? await this.#target(path) : undefined,
      device: type === 'character' || type === 'block' ? deviceNumber(stats.rdev) : undefined,
      xattrs: this.#attributes.get(path) ?? NO_XATTRS,
      diskInode: stats.ino,
      isSparse: type === 'file' && stats.blocks * BLOCK_UNIT < stats.size,
    }
  }

  async #target(path: string): Promise<string> {
    return decodeName(await this.#ask(path, (at) => readlink(at, { encoding: 'buffer' })))
  }

  async #ask<T>(path: string, question: (at: Buffer) => Promise<T>): Promise<T> {
    return question(diskPath(this.#top, path)).catch((error: unknown) => {
      throw fileError(error, joinPath(this.#top, path), 'read')
    })
  }
}

function typeOf(stats: BigIntStats): EntryType {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isCharacterDevice()) return 'character'
  if (stats.isBlockDevice()) return 'block'
  return stats.isFIFO() ? 'fifo' : 'socket'
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient
}

/** glibc's and Linux's layout of dev_t: minor bits 0–7 and 20–43, major bits 8–19 and 44–63 (makedev(3)). */
function deviceNumber(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)
  return { major: Number(major), minor: Number(minor) }
}
