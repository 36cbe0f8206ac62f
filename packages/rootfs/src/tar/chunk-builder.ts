const CHUNK = 256 * 1024

/** Gathers pieces into chunks of one size, each in memory of its own, since pieces may be reused by their producers. */
export class ChunkBuilder {
  #chunk: Uint8Array = new Uint8Array(CHUNK)
  #used = 0

  #take(): Uint8Array {
    const chunk = this.#chunk.subarray(0, this.#used)
    this.#chunk = new Uint8Array(CHUNK)
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
      this.#used += part // a new chunk is zeros
      left -= part
      if (this.#used === CHUNK) yield this.#take()
    }
  }

  *end(): Generator<Uint8Array> {
    if (this.#used > 0) yield this.#take()
  }
}
