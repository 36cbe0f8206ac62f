import { NumberList } from '../number-list.js'
import { BlockLedger } from './block-run.js'
import { firstPosition } from './content/file-plan.js'
import type { FileSystem } from './file-system.js'
import type { Visit } from './tree-walk.js'

/** Files and where each begins on the disk; about 20 bytes and the path each. */
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

/** Takes the regular files of a walk, each by its first name. */
export class FileCollector {
  readonly list = new FileList()
  readonly #fileSystem: FileSystem
  readonly #ledger: BlockLedger
  /** Files with several names. */
  readonly #linked = new Set<number>()

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem
    this.#ledger = new BlockLedger(fileSystem.volume)
  }

  /** What it returns is only to be waited for when it is a promise. */
  take({ path, inode }: Visit): void | Promise<void> {
    const { number, type, links } = inode
    if (type !== 'file' || this.#linked.has(number)) return
    if (links > 1) this.#linked.add(number)
    const position = firstPosition(inode, { inode: number, path }, this.#fileSystem, this.#ledger)
    if (typeof position === 'number') this.list.add(path, number, position)
    else return position.then((found) => this.list.add(path, number, found))
  }
}
