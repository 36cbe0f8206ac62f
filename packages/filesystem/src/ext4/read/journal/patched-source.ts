import type { BlockSource, ByteRange } from '@c2m/disk'
import { JOURNAL_MAGIC } from '../../journal.js'

/** A block whose newest content is in the journal. */
export interface Patch {
  /** Of the file system. */
  readonly block: number
  /** The block that holds the content. */
  readonly from: number
  readonly escaped: boolean
}

/** A source in which some blocks are read from elsewhere; it keeps 17 bytes for each of them, never their content. */
export class PatchedSource implements BlockSource {
  readonly #source: BlockSource
  readonly #blockSize: number
  /** Rising. */
  readonly #blocks: Float64Array
  readonly #from: Float64Array
  readonly #escaped: Uint8Array

  /** @param patches one for each block at most */
  constructor(source: BlockSource, blockSize: number, patches: readonly Patch[]) {
    const sorted = [...patches].sort((a, b) => a.block - b.block)
    this.#source = source
    this.#blockSize = blockSize
    this.#blocks = Float64Array.from(sorted, ({ block }) => block)
    this.#from = Float64Array.from(sorted, ({ from }) => from)
    this.#escaped = Uint8Array.from(sorted, ({ escaped }) => (escaped ? 1 : 0))
  }

  get size(): number {
    return this.#source.size
  }

  async read(offset: number, target: Uint8Array): Promise<void> {
    await this.#source.read(offset, target)
    const end = offset + target.length
    for (let index = this.#firstFrom(Math.floor(offset / this.#blockSize)); index < this.#blocks.length; index++) {
      const start = this.#blocks[index]! * this.#blockSize
      if (start >= end) return
      const block = await this.#content(index)
      const from = Math.max(offset - start, 0)
      target.set(block.subarray(from, Math.min(end - start, this.#blockSize)), start + from - offset)
    }
  }

  async *data(offset: number, length: number): AsyncGenerator<ByteRange> {
    const next = this.#blocks[this.#firstFrom(Math.floor(offset / this.#blockSize))]
    if (next === undefined || next * this.#blockSize >= offset + length) yield* this.#source.data(offset, length)
    else if (length > 0) yield { offset, length }
  }

  async #content(index: number): Promise<Buffer> {
    const block = Buffer.allocUnsafe(this.#blockSize)
    await this.#source.read(this.#from[index]! * this.#blockSize, block)
    if (this.#escaped[index] === 1) block.writeUInt32BE(JOURNAL_MAGIC, 0)
    return block
  }

  /** The first patch of a block that is not lower. */
  #firstFrom(block: number): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#blocks[middle]! < block) low = middle + 1
      else high = middle
    }
    return low
  }
}
