const CHUNK = 1024 * 1024
const CHUNK_STEP = 2 ** 32

/** Keeps many small byte strings in a few large buffers. */
export class ByteArena {
  readonly #chunks: Buffer[] = []
  #used = 0

  /** Copies `bytes`; the number returned finds them again. */
  add(bytes: Uint8Array): number {
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || this.#used + bytes.length > chunk.length) {
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK, bytes.length))
      this.#chunks.push(chunk)
      this.#used = 0
    }
    const handle = (this.#chunks.length - 1) * CHUNK_STEP + this.#used
    chunk.set(bytes, this.#used)
    this.#used += bytes.length
    return handle
  }

  get(handle: number, length: number): Buffer {
    const start = handle % CHUNK_STEP
    return this.#chunks[Math.floor(handle / CHUNK_STEP)]!.subarray(start, start + length)
  }
}
