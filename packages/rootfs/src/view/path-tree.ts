import { baseName, isBelow } from '../name/path.js'

/** Values by path, as a tree of names: what a step of a path finds there costs the same at any depth. */
export interface PathTree<T> {
  value: T | undefined
  children: Map<string, PathTree<T>> | undefined
}

export function pathTree<T>(values: Iterable<readonly [path: string, value: T]>): PathTree<T> {
  const root = emptyTree<T>()
  for (const [path, value] of values) setPath(root, path, value)
  return root
}

export function setPath<T>(root: PathTree<T>, path: string, value: T): void {
  let node = root
  for (const name of path === '' ? [] : path.split('/')) {
    node.children ??= new Map()
    let next = node.children.get(name)
    if (next === undefined) node.children.set(name, (next = emptyTree()))
    node = next
  }
  node.value = value
}

function emptyTree<T>(): PathTree<T> {
  return { value: undefined, children: undefined }
}

/** The values on the way to a path, the one of the root first and its own last. */
export function* valuesAlong<T>(tree: PathTree<T>, path: string): Generator<T | undefined> {
  yield tree.value
  let node: PathTree<T> | undefined = tree
  for (const name of path === '' ? [] : path.split('/')) {
    node = node?.children?.get(name)
    yield node?.value
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
