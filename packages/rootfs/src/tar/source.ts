/** Bytes read from front to back. Answers without a promise when they are at hand, which most header blocks are. */
export interface ByteSource {
  /** Offset of the next byte. */
  readonly position: number
  /** The next `length` bytes, fewer only at the end. They are valid until the next call. */
  take(length: number): Uint8Array | Promise<Uint8Array>
  /** Goes forward; beyond the end is no error, but nothing is left to take there. */
  seek(position: number): void | Promise<void>
}

export class StreamSource implements ByteSource {
  position = 0
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  take(length: number): Uint8Array | Promise<Uint8Array> {
    return this.#chunk.length >= length ? this.#cut(length) : this.#gather(length)
  }

  /** At most `limit` of the next bytes, as they come; none only at the end. */
  async piece(limit: number): Promise<Uint8Array> {
    await this.#fill()
    return this.#cut(Math.min(limit, this.#chunk.length))
  }

  async seek(position: number): Promise<void> {
    while (this.position < position) {
      if ((await this.piece(position - this.position)).length === 0) return
    }
  }

  /** Reads what is left, so that whoever writes the stream can finish. */
  async drain(): Promise<void> {
    await this.seek(Infinity)
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  #cut(length: number): Uint8Array {
    const piece = this.#chunk.subarray(0, length)
    this.#chunk = this.#chunk.subarray(length)
    this.position += length
    return piece
  }

  async #gather(length: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    for (let missing = length; missing > 0;) {
      const piece = await this.piece(missing)
      if (piece.length === 0) break
      pieces.push(Buffer.from(piece)) // a chunk may be reused by its producer once the next is asked for
      missing -= piece.length
    }
    return Buffer.concat(pieces)
  }

  async #fill(): Promise<void> {
    while (this.#chunk.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return
      this.#chunk = next.value
    }
  }
}
