import type { Body, Extent, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { comparePaths } from '../name/order.js'
import { cleanPath, isBelow, joinPath } from '../name/path.js'
import { checkIsFile, followLinks, locate } from '../tree/lookup.js'
import { withoutContents } from './subtree.js'

/**
 * One tree of several, each on a directory of the others, as the kernel mounts file systems: what the directory itself
 * holds is hidden, its metadata too. The trees stay their owners' to dispose.
 * @param mounts by path, free of links; each must be a directory of the tree that it is mounted on
 */
export function joinRootfs(root: Rootfs, mounts: ReadonlyMap<string, Rootfs>): Rootfs {
  const points = [...mounts].map(([path, rootfs]) => ({ path: cleanPath(path), rootfs }))
  points.sort((a, b) => comparePaths(a.path, b.path))
  const all = [{ path: '', rootfs: root }, ...points]
  const parts = all.map(({ path, rootfs }, index) => {
    const nested = all.filter((other) => other.path !== path && isBelow(other.path, path))
    const hidden = nested.map((other) => inside(path, other.path))
    return { path, index, rootfs: hidden.length === 0 ? rootfs : withoutContents(rootfs, hidden) }
  })
  return new JoinedRootfs(parts)
}

interface Part {
  /** Where its root is. */
  readonly path: string
  readonly index: number
  readonly rootfs: Rootfs
}

class JoinedRootfs implements Rootfs {
  /** In the order of their paths: the root's comes first. */
  readonly #parts: readonly Part[]

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await locate(this.#lookUp, from)
    if (start !== undefined) yield* this.#walkPart(this.#partOf(start), start)
  }

  async stat(path: string): Promise<RootfsEntry | undefined> {
    const located = await locate(this.#lookUp, path)
    return located === undefined ? undefined : this.#lookUp(located)
  }

  resolve(path: string): Promise<string | undefined> {
    return followLinks(this.#lookUp, path)
  }

  async list(path: string): Promise<readonly string[]> {
    const located = await locate(this.#lookUp, path)
    if (located === undefined) return []
    const part = this.#partOf(located)
    return part.rootfs.list(inside(part.path, located))
  }

  stream(path: string): Body {
    return { [Symbol.asyncIterator]: () => this.#read(path) }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for (const part of this.#parts) {
      for await (const { entry, body } of part.rootfs.contents()) yield { entry: this.#shown(part, entry), body }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the parts are their owners' to dispose
  }

  readonly #lookUp = async (path: string): Promise<RootfsEntry | undefined> => {
    const part = this.#partOf(path)
    const entry = await part.rootfs.stat(inside(part.path, path))
    return entry === undefined ? undefined : this.#shown(part, entry)
  }

  async *#walkPart(part: Part, from: string): AsyncGenerator<RootfsEntry> {
    for await (const entry of part.rootfs.walk(inside(part.path, from))) {
      const path = joinPath(part.path, entry.path)
      const mounted = path === part.path ? undefined : this.#parts.find((other) => other.path === path)
      if (mounted === undefined) yield this.#shown(part, entry)
      else yield* this.#walkPart(mounted, path)
    }
  }

  async *#read(path: string): AsyncGenerator<Extent> {
    const { path: located } = checkIsFile(await this.stat(path), path)
    const part = this.#partOf(located)
    yield* part.rootfs.stream(inside(part.path, located))
  }

  #partOf(path: string): Part {
    return this.#parts.findLast((part) => part.path === path || isBelow(path, part.path))!
  }

  /** Inode numbers of different parts must differ. */
  #shown(part: Part, entry: RootfsEntry): RootfsEntry {
    return {
      ...entry,
      path: joinPath(part.path, entry.path),
      inode: entry.inode * this.#parts.length + part.index,
    }
  }
}

/** A path as the tree mounted on `top` knows it. */
function inside(top: string, path: string): string {
  return path === top ? '' : top === '' ? path : path.slice(top.length + 1)
}
