const CHUNK = 256 * 1024

/** A chunk that was given is used again when so many more have been asked for. */
export const CHUNKS_IN_USE = 4

/**
 * Gathers pieces into chunks of one size, since pieces may be reused by their producers. Chunks have memory of their own,
 * or, since making and collecting that takes longer than filling it, take turns in the same.
 */
export class ChunkBuilder {
  readonly #ring: Uint8Array[] | undefined
  #turn = 0
  #chunk: Uint8Array
  #used = 0

  constructor(reuse = false) {
    this.#ring = reuse ? Array.from({ length: CHUNKS_IN_USE }, () => new Uint8Array(CHUNK)) : undefined
    this.#chunk = this.#next()
  }

  #next(): Uint8Array {
    if (this.#ring === undefined) return new Uint8Array(CHUNK)
    return this.#ring[this.#turn++ % CHUNKS_IN_USE]!
  }

  #take(): Uint8Array {
    const chunk = this.#chunk.subarray(0, this.#used)
    this.#chunk = this.#next()
    this.#used = 0
    return chunk
  }

  *add(piece: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + CHUNK - this.#used)
      this.#chunk.set(part, this.#used)
      this.#used += part.length
      at += part.length
      if (this.#used === CHUNK) yield this.#take()
    }
  }

  *zeros(count: number): Generator<Uint8Array> {
    for (let left = count; left > 0;) {
      const part = Math.min(left, CHUNK - this.#used)
      // memory of its own is zeros
      if (this.#ring !== undefined) this.#chunk.fill(0, this.#used, this.#used + part)
      this.#used += part
      left -= part
      if (this.#used === CHUNK) yield this.#take()
    }
  }

  *end(): Generator<Uint8Array> {
    if (this.#used > 0) yield this.#take()
  }
}
