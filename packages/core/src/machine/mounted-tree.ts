import { editRootfs, joinRootfs } from '@c2m/rootfs'
import type { Rootfs } from '@c2m/plugin-api'

/** A root on which one tree after the other is mounted. */
export class MountedTree {
  #root: Rootfs
  readonly #mounts = new Map<string, Rootfs>()

  constructor(root: Rootfs) {
    this.#root = root
  }

  get rootfs(): Rootfs {
    return this.#mounts.size === 0 ? this.#root : joinRootfs(this.#root, this.#mounts)
  }

  /**
   * @param path below the root; links are followed, and a directory that is missing is made, as systemd does
   * @returns where the content is now; undefined when something that is no directory, or another mount, is in the way
   */
  async mount(path: string, content: Rootfs): Promise<string | undefined> {
    const target = path.split('/').filter((name) => name !== '' && name !== '.')
    const point = (await this.#directory(target.join('/'))) ?? (await this.#make(target))
    if (point === undefined || point === '' || this.#mounts.has(point)) return undefined
    this.#mounts.set(point, content)
    return point
  }

  async #directory(path: string): Promise<string | undefined> {
    const point = await this.rootfs.resolve(path)
    if (point === undefined) return undefined
    return (await this.rootfs.stat(point))?.type === 'directory' ? point : undefined
  }

  /** In the tree that it lies in. */
  async #make(names: readonly string[]): Promise<string | undefined> {
    if ((await this.rootfs.stat(names.join('/'))) !== undefined) return undefined
    const parents = names.slice(0, -1)
    const above = (await this.#directory(parents.join('/'))) ?? (await this.#make(parents))
    if (above === undefined) return undefined
    const point = [...(above === '' ? [] : [above]), names.at(-1)].join('/')
    const [holder = ''] = [...this.#mounts.keys()]
      .filter((mounted) => point.startsWith(`${mounted}/`))
      .sort((a, b) => b.length - a.length)
    const edited = editRootfs(this.#mounts.get(holder) ?? this.#root)
    await edited.put({ path: holder === '' ? point : point.slice(holder.length + 1), type: 'directory', mode: 0o755 })
    if (holder === '') this.#root = edited
    else this.#mounts.set(holder, edited)
    return point
  }
}
