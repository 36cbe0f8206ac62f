import { editRootfs, JoinedRootfs } from '@c2m/rootfs'
import type { Rootfs, RootfsEdit } from '@c2m/plugin-api'

/** A root on which one tree after the other is mounted. */
export class MountedTree {
  readonly rootfs: JoinedRootfs
  /** By the path where each is mounted, the root's ''. */
  readonly #trees: Map<string, Rootfs>
  /** The same, of those in which directories had to be made. */
  readonly #edits = new Map<string, RootfsEdit>()

  constructor(root: Rootfs) {
    this.rootfs = new JoinedRootfs(root)
    this.#trees = new Map([['', root]])
  }

  /**
   * @param path below the root; links are followed, and a directory that is missing is made, as systemd does
   * @returns where the content is now; undefined when something that is no directory, or another mount, is in the way
   */
  async mount(path: string, content: Rootfs): Promise<string | undefined> {
    const point = await this.#directory(path.split('/').filter((name) => name !== '' && name !== '.'))
    // the root is a mount, too
    if (point === undefined || this.#trees.has(point)) return undefined
    this.#trees.set(point, content)
    this.rootfs.mount(point, content)
    return point
  }

  /** The directory of a path, its links followed; it, and those above it, are made where they are missing. */
  async #directory(names: readonly string[]): Promise<string | undefined> {
    const found = await this.rootfs.resolve(names.join('/'))
    if (found !== undefined && (await this.#isDirectory(found))) return found
    const name = names.at(-1)
    if (name === undefined || name === '..') return undefined
    const above = await this.#directory(names.slice(0, -1))
    if (above === undefined) return undefined
    const path = above === '' ? name : `${above}/${name}`
    return (await this.#treeAt(path)).entry === undefined ? this.#make(path) : undefined
  }

  async #isDirectory(path: string): Promise<boolean> {
    return this.#trees.has(path) || (await this.#treeAt(path)).entry?.type === 'directory'
  }

  async #make(path: string): Promise<string> {
    const { holder, inside } = await this.#treeAt(path)
    let edit = this.#edits.get(holder)
    if (edit === undefined) {
      edit = editRootfs(this.#trees.get(holder)!)
      this.#edits.set(holder, edit)
      this.#trees.set(holder, edit)
      this.rootfs.mount(holder, edit)
    }
    await edit.put({ path: inside, type: 'directory', mode: 0o755 })
    return path
  }

  /** The tree that a path lies in, and what it has there: the joined one would first count the names of all files. */
  async #treeAt(path: string) {
    let holder = ''
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      if (this.#trees.has(path.slice(0, at))) holder = path.slice(0, at)
    }
    const inside = holder === '' ? path : path.slice(holder.length + 1)
    return { holder, inside, entry: await this.#trees.get(holder)!.stat(inside) }
  }
}
