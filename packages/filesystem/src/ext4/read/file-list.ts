import { NumberList } from '../number-list.js'

/** Files and where each begins on the disk; about 30 bytes and the path each. */
export class FileList {
  readonly #paths: string[] = []
  readonly #inodes = new NumberList()
  readonly #positions = new NumberList()

  add(path: string, inode: number, position: number): void {
    this.#paths.push(path)
    this.#inodes.push(inode)
    this.#positions.push(position)
  }

  /** By position, those of one position as they came. */
  *inOrder(): Generator<{ readonly path: string; readonly inode: number }> {
    const positions = Float64Array.from({ length: this.#paths.length }, (_, index) => this.#positions.at(index))
    const order = Uint32Array.from(positions.keys()).sort((a, b) => positions[a]! - positions[b]! || a - b)
    for (const index of order) yield { path: this.#paths[index]!, inode: this.#inodes.at(index) }
  }
}
