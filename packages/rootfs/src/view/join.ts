import type { Body, Rootfs, RootfsEntry } from '@c2m/plugin-api'
import { comparePaths } from '../name/order.js'
import { cleanPath, isBelow, joinPath } from '../name/path.js'
import { DentryRootfs, signalOf, topOf, whenReady, type Dentry } from '../tree/dentry.js'
import { pathTree, setPath, type PathTree } from './path-tree.js'
import { withoutContents } from './subtree.js'

/**
 * One tree of several, each on a directory of the others, as the kernel mounts file systems: what the directory itself
 * holds is hidden, its metadata too. The trees stay their owners' to dispose.
 * @param mounts by path, free of links; each must be a directory of the tree that it is mounted on
 */
export function joinRootfs(root: Rootfs, mounts: ReadonlyMap<string, Rootfs>): Rootfs {
  const joined = new JoinedRootfs(root)
  for (const [path, rootfs] of mounts) joined.mount(cleanPath(path), rootfs)
  return joined
}

interface Part {
  /** Where its root is. */
  readonly path: string
  readonly index: number
  readonly rootfs: Rootfs
}

/** What joinRootfs gives, while trees are mounted one after the other: they are looked up in what is there so far. */
export class JoinedRootfs extends DentryRootfs<JoinedDentry> {
  /** By path. */
  readonly #parts = new Map<string, Part>()
  readonly #mounts: PathTree<Part> = pathTree([])
  /** The parts without what is hidden in them, in the order of their paths; found when somebody looks at entries. */
  #shown: ReadonlyMap<string, Part> | undefined

  constructor(root: Rootfs) {
    super(signalOf(root))
    this.mount('', root)
  }

  /** Mounts a tree, or another one in its place. @param path free of links */
  mount(path: string, rootfs: Rootfs): void {
    const part = { path, index: this.#parts.get(path)?.index ?? this.#parts.size, rootfs }
    this.#parts.set(path, part)
    setPath(this.#mounts, path, part)
    this.#shown = undefined
  }

  top(): Promise<JoinedDentry | undefined> {
    return this.topOfPart(this.#mounts.value!, this.#mounts)
  }

  async topOfPart(part: Part, mounts: PathTree<Part>): Promise<JoinedDentry | undefined> {
    const base = await topOf(part.rootfs)
    return base && new JoinedDentry(this, part, base, mounts)
  }

  /** As the part shows it that hides what others are mounted on. */
  async entryOf({ path: top }: Part, path: string): Promise<RootfsEntry> {
    const part = this.#shownParts.get(top)!
    return this.#entry(part, (await part.rootfs.stat(inside(top, path)))!, path)
  }

  async *walk(from = ''): AsyncGenerator<RootfsEntry> {
    const start = await this.locate(from)
    if (start === undefined) return
    const part = this.#shownParts.get(start.dentry.part.path)!
    const open = [{ part, walk: walkOf(part, inside(part.path, start.path)) }]
    try {
      for (let innermost = open.at(-1); innermost !== undefined; innermost = open.at(-1)) {
        const step = await innermost.walk.next()
        if (step.done === true) {
          open.pop()
          continue
        }
        const path = joinPath(innermost.part.path, step.value.path)
        const mounted = this.#shownParts.get(path)
        if (mounted === undefined || mounted === innermost.part) yield this.#entry(innermost.part, step.value, path)
        else open.push({ part: mounted, walk: walkOf(mounted, '') })
      }
    } finally {
      for (const { walk } of open) await walk.return?.()
    }
  }

  async *contents(): AsyncGenerator<{ entry: RootfsEntry; body: Body }> {
    for (const part of this.#shownParts.values()) {
      for await (const { entry, body } of part.rootfs.contents()) {
        yield { entry: this.#entry(part, entry, joinPath(part.path, entry.path)), body }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // the parts are their owners' to dispose
  }

  get #shownParts(): ReadonlyMap<string, Part> {
    if (this.#shown !== undefined) return this.#shown
    const parts = [...this.#parts.values()].sort((a, b) => comparePaths(a.path, b.path))
    this.#shown = new Map(
      parts.map((part, index) => {
        const hidden = directlyBelow(parts, index).map((point) => inside(part.path, point))
        return [part.path, hidden.length === 0 ? part : { ...part, rootfs: withoutContents(part.rootfs, hidden) }]
      }),
    )
    return this.#shown
  }

  /** Inode numbers of different parts must differ. */
  #entry(part: Part, entry: RootfsEntry, path: string): RootfsEntry {
    return { ...entry, path, inode: entry.inode * this.#parts.size + part.index }
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

  entry(path: string): Promise<RootfsEntry> {
    return this.tree.entryOf(this.part, path)
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
