import type { Geometry } from './geometry.js'

export interface BlockRun {
  readonly block: number
  readonly count: number
}

/** Hands out blocks in rising order, around the metadata. What lies below `next` is in use, what lies above is not. */
export class BlockAllocator {
  readonly #geometry: Geometry
  readonly #exhausted: () => Error
  #range = 0
  #next = 0
  #taken = 0

  /** @param exhausted makes the error for when no block is left */
  constructor(geometry: Geometry, exhausted: () => Error) {
    this.#geometry = geometry
    this.#exhausted = exhausted
  }

  get next(): number {
    return this.#next
  }

  /** Blocks handed out. */
  get taken(): number {
    return this.#taken
  }

  /** Neighbouring blocks, at least one, at most `wanted`. */
  take(wanted: number): BlockRun {
    const { metadata, blocks } = this.#geometry
    while (this.#range < metadata.length && this.#next >= metadata[this.#range]!) {
      this.#next = Math.max(this.#next, metadata[this.#range + 1]!)
      this.#range += 2
    }
    const end = this.#range < metadata.length ? metadata[this.#range]! : blocks
    const count = Math.min(wanted, end - this.#next)
    if (count <= 0) throw this.#exhausted()
    const block = this.#next
    this.#next += count
    this.#taken += count
    return { block, count }
  }
}
