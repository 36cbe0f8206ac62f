import { baseName, isBelow } from '../name/path.js'

/** Values by path, as a tree of names: what a step of a path finds there costs the same at any depth. */
export class PathTree<T> {
  value: T | undefined
  #children: Map<string, PathTree<T>> | undefined

  get isEmpty(): boolean {
    return this.value === undefined && this.#children === undefined
  }

  child(name: string): PathTree<T> | undefined {
    return this.#children?.get(name)
  }

  set(path: string, value: T): void {
    let node: PathTree<T> = this
    for (const name of path === '' ? [] : path.split('/')) {
      node.#children ??= new Map()
      let next = node.#children.get(name)
      if (next === undefined) node.#children.set(name, (next = new PathTree()))
      node = next
    }
    node.value = value
  }

  /** The values on the way to a path, its own last. */
  *along(path: string): Generator<T> {
    let node: PathTree<T> | undefined = this
    if (node.value !== undefined) yield node.value
    for (const name of path === '' ? [] : path.split('/')) {
      node = node.child(name)
      if (node === undefined) return
      if (node.value !== undefined) yield node.value
    }
  }
}

/** Goes with a walk, depth first, and keeps what each directory above the current entry stands for. */
export class Descent<S> {
  readonly #levels: { readonly path: string; readonly state: S }[] = []
  readonly #start: S
  readonly #step: (above: S, name: string) => S

  /** @param start of the walk's first entry */
  constructor(start: S, step: (above: S, name: string) => S) {
    this.#start = start
    this.#step = step
  }

  /** What the walk's next entry stands for. */
  enter(path: string): S {
    while (this.#levels.length > 0 && !isBelow(path, this.#levels.at(-1)!.path)) this.#levels.pop()
    const above = this.#levels.at(-1)
    const state = above === undefined ? this.#start : this.#step(above.state, baseName(path))
    this.#levels.push({ path, state })
    return state
  }
}
