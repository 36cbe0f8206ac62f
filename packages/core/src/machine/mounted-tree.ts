import { editRootfs, joinRootfs } from '@c2m/rootfs'
import type { Rootfs, RootfsEdit } from '@c2m/plugin-api'

/** A root on which one tree after the other is mounted. */
export class MountedTree {
  /** By the path where each is mounted, the root's ''. */
  readonly #trees: Map<string, Rootfs>
  /** The same, of those in which directories had to be made. */
  readonly #edits = new Map<string, RootfsEdit>()

  constructor(root: Rootfs) {
    this.#trees = new Map([['', root]])
  }

  get rootfs(): Rootfs {
    const mounts = new Map(this.#trees)
    mounts.delete('')
    return mounts.size === 0 ? this.#trees.get('')! : joinRootfs(this.#trees.get('')!, mounts)
  }

  /**
   * @param path below the root; links are followed, and a directory that is missing is made, as systemd does
   * @returns where the content is now; undefined when something that is no directory, or another mount, is in the way
   */
  async mount(path: string, content: Rootfs): Promise<string | undefined> {
    const names = path.split('/').filter((name) => name !== '' && name !== '.')
    const point = await this.#directory(this.rootfs, names)
    // the root is a mount, too
    if (point === undefined || this.#trees.has(point)) return undefined
    this.#trees.set(point, content)
    return point
  }

  /** The directory of a path, its links followed; it, and those above it, are made where they are missing. */
  async #directory(joined: Rootfs, names: readonly string[]): Promise<string | undefined> {
    const found = await joined.resolve(names.join('/'))
    if (found !== undefined && (await this.#isDirectory(found))) return found
    const name = names.at(-1)
    if (name === undefined || name === '..') return undefined
    const above = await this.#directory(joined, names.slice(0, -1))
    if (above === undefined || (await joined.list(above)).includes(name)) return undefined
    return this.#make(above === '' ? name : `${above}/${name}`)
  }

  async #isDirectory(path: string): Promise<boolean> {
    if (this.#trees.has(path)) return true
    const { holder, inside } = this.#holderOf(path)
    // of the tree itself: the joined one would first count the names of all files
    return (await this.#trees.get(holder)!.stat(inside))?.type === 'directory'
  }

  async #make(path: string): Promise<string> {
    const { holder, inside } = this.#holderOf(path)
    let edit = this.#edits.get(holder)
    if (edit === undefined) {
      edit = editRootfs(this.#trees.get(holder)!)
      this.#edits.set(holder, edit)
      this.#trees.set(holder, edit)
    }
    await edit.put({ path: inside, type: 'directory', mode: 0o755 })
    return path
  }

  /** The tree that a path lies in, and the path there. */
  #holderOf(path: string): { readonly holder: string; readonly inside: string } {
    const holder = [...this.#trees.keys()].reduce((best, point) =>
      point.length > best.length && path.startsWith(`${point}/`) ? point : best,
    )
    return { holder, inside: holder === '' ? path : path.slice(holder.length + 1) }
  }
}
