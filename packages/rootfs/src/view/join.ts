import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { comparePaths } from '../name/order.js'
import { cleanPath, isBelow, joinPath } from '../name/path.js'
import { DentryRootfs, signalOf, topOf, whenReady, type Dentry } from '../tree/dentry.js'
import { pathTree, type PathTree } from './path-tree.js'
import { withoutContents } from './subtree.js'

/**
 * One tree of several, each on a directory of the others, as the kernel mounts file systems: what the directory itself
 * holds is hidden, its metadata too. The trees stay their owners' to dispose.
 * @param mounts by path, free of links; each must be a directory of the tree that it is mounted on
 */
export function joinRootfs(root: Rootfs, mounts: ReadonlyMap<string, Rootfs>): Rootfs {
  const points = [...mounts].map(([path, rootfs]) => ({ path: cleanPath(path), rootfs }))
  points.sort((a, b) => comparePaths(a.path, b.path))
  return new JoinedRootfs([{ path: '', rootfs: root }, ...points])
}

interface Part {
  /** Where its root is. */
  readonly path: string
  readonly index: number
  readonly rootfs: Rootfs
}

class JoinedRootfs extends DentryRootfs<JoinedDentry> {
  /** In the order of their paths: the root's comes first. */
  readonly #parts: readonly Part[]
  readonly #byPath: ReadonlyMap<string, Part>
  readonly #mounts: PathTree<Part>

  /** @param trees in the order of their paths */
  constructor(trees: readonly { readonly path: string; readonly rootfs: Rootfs }[]) {
    super(signalOf(trees[0]!.rootfs))
    this.#parts = trees.map(({ path, rootfs }, index) => {
      const hidden = directlyBelow(trees, index).map((point) => inside(path, point))
      return { path, index, rootfs: hidden.length === 0 ? rootfs : withoutContents(rootfs, hidden) }
    })
    this.#byPath = new Map(this.#parts.map((part) => [part.path, part]))
    this.#mounts = pathTree(this.#byPath)
  }

  top(): Promise<JoinedDentry | undefined> {
    return this.topOfPart(this.#parts[0]!, this.#mounts)
  }

  async topOfPart(part: Part, mounts: PathTree<Part>): Promise<JoinedDentry | undefined> {
    const base = await topOf(part.rootfs)
    return base && new JoinedDentry(this, part, base, mounts)
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await this.locate(from)
    if (start === undefined) return
    const { part } = start.dentry
    const open = [{ part, walk: walkOf(part, inside(part.path, start.path)) }]
    try {
      for (let innermost = open.at(-1); innermost !== undefined; innermost = open.at(-1)) {
        const step = await innermost.walk.next()
        if (step.done === true) {
          open.pop()
          continue
        }
        const path = joinPath(innermost.part.path, step.value.path)
        const mounted = this.#byPath.get(path)
        if (mounted === undefined || mounted === innermost.part) yield this.shown(innermost.part, step.value, path)
        else open.push({ part: mounted, walk: walkOf(mounted, '') })
      }
    } finally {
      for (const { walk } of open) await walk.return?.()
    }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for (const part of this.#parts) {
      for await (const { entry, body } of part.rootfs.contents()) {
        yield { entry: this.shown(part, entry, joinPath(part.path, entry.path)), body }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the parts are their owners' to dispose
  }

  /** Inode numbers of different parts must differ. */
  shown(part: Part, entry: RootfsEntry, path: string): RootfsEntry {
    return { ...entry, path, inode: entry.inode * this.#parts.length + part.index }
  }
}

class JoinedDentry implements Dentry {
  constructor(
    readonly tree: JoinedRootfs,
    readonly part: Part,
    readonly base: Dentry,
    /** What is mounted here and below. */
    readonly mounts: PathTree<Part> | undefined,
  ) {}

  get type(): Dentry['type'] {
    return this.base.type
  }

  get linkTarget(): string | undefined {
    return this.base.linkTarget
  }

  get mayHaveHoles(): boolean | undefined {
    return this.base.mayHaveHoles
  }

  child(name: string): JoinedDentry | undefined | Promise<JoinedDentry | undefined> {
    const mounts = this.mounts?.children?.get(name)
    if (mounts?.value !== undefined) return this.tree.topOfPart(mounts.value, mounts)
    return whenReady(this.base.child(name), (base) => base && new JoinedDentry(this.tree, this.part, base, mounts))
  }

  names(): readonly string[] | Promise<readonly string[]> {
    return this.base.names()
  }

  entry(path: string): RootfsEntry | Promise<RootfsEntry> {
    const own = this.base.entry(inside(this.part.path, path))
    return whenReady(own, (entry) => this.tree.shown(this.part, entry, path))
  }

  body(path: string): Body {
    return this.base.body(inside(this.part.path, path))
  }
}

/** Paths of what is mounted below a tree and not below another that is; the trees are in the order of their paths. */
function directlyBelow(trees: readonly { readonly path: string }[], index: number): string[] {
  const top = trees[index]!.path
  const found: string[] = []
  for (let at = index + 1; at < trees.length && isBelow(trees[at]!.path, top); at++) {
    const last = found.at(-1)
    if (last === undefined || !isBelow(trees[at]!.path, last)) found.push(trees[at]!.path)
  }
  return found
}

function walkOf(part: Part, from: string): AsyncIterator<RootfsEntry> {
  return part.rootfs.walk(from)[Symbol.asyncIterator]()
}

/** A path as the tree mounted on `top` knows it. */
function inside(top: string, path: string): string {
  return path === top ? '' : top === '' ? path : path.slice(top.length + 1)
}
