import type { BlockSource } from '@c2m/disk'

/** Bytes that are read at once; no block, of at most 64 KiB, straddles two. */
const CHUNK = 64 * 1024
const MAX_CHUNKS = 320
const MAX_PREFETCH = 64

/**
 * Reads small pieces through a cache of large chunks: inode tables, directories and the nodes of block maps stand close
 * together. What it gives are views of chunks, which must not be changed, and of which few should be kept.
 */
export class MetadataReader {
  readonly #source: BlockSource
  /** By number, the one used longest ago first. */
  readonly #chunks = new Map<number, Buffer>()
  readonly #loading = new Map<number, Promise<Buffer>>()
  #lastNumber = -1
  #last: Buffer | undefined

  constructor(source: BlockSource) {
    this.#source = source
  }

  /** What is there without waiting. The range must lie within one block or inode. */
  peek(offset: number, length: number): Buffer | undefined {
    const number = Math.floor(offset / CHUNK)
    if (number !== this.#lastNumber || this.#last === undefined) {
      const chunk = this.#chunks.get(number)
      if (chunk === undefined) return undefined
      this.#use(number, chunk)
    }
    const from = offset - number * CHUNK
    return this.#last!.subarray(from, from + length)
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const known = this.peek(offset, length)
    if (known !== undefined) return known
    const number = Math.floor(offset / CHUNK)
    const chunk = await this.#load(number)
    const from = offset - number * CHUNK
    return chunk.subarray(from, from + length)
  }

  /** A block that stands alone, e.g. among the content of a file: nothing around it is read or kept. */
  async readAlone(offset: number, length: number): Promise<Buffer> {
    const known = this.peek(offset, length)
    if (known !== undefined) return known
    const bytes = Buffer.allocUnsafe(length)
    await this.#source.read(offset, bytes)
    return bytes
  }

  /** Reads what is not there yet, all at once; at most as many places as the cache holds well. */
  async prefetch(offsets: Iterable<number>): Promise<void> {
    const wanted = new Set<number>()
    for (const offset of offsets) {
      const number = Math.floor(offset / CHUNK)
      if (!this.#chunks.has(number)) wanted.add(number)
      if (wanted.size >= MAX_PREFETCH) break
    }
    await Promise.all(Array.from(wanted, (number) => this.#load(number)))
  }

  #use(number: number, chunk: Buffer): void {
    this.#chunks.delete(number)
    this.#chunks.set(number, chunk)
    this.#lastNumber = number
    this.#last = chunk
  }

  #load(number: number): Promise<Buffer> {
    const loading = this.#loading.get(number)
    if (loading !== undefined) return loading
    const promise = this.#fetch(number).finally(() => this.#loading.delete(number))
    this.#loading.set(number, promise)
    return promise
  }

  async #fetch(number: number): Promise<Buffer> {
    const offset = number * CHUNK
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK, this.#source.size - offset))
    await this.#source.read(offset, chunk)
    this.#use(number, chunk)
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= MAX_CHUNKS) break
      this.#chunks.delete(oldest)
    }
    return chunk
  }
}
