import type { BlockSource } from '@c2m/disk'

/** Bytes that are read at once. */
export const WINDOW = 2 * 1024 * 1024
/** Reading over a gap this small costs less than another read. */
const SMALL_GAP = 128 * 1024

/** A range of the disk that grows as files are planned, then is read as a whole. */
export class Window {
  readonly start: number
  #end: number
  #buffer: Buffer | undefined
  #reading: Promise<void> | undefined

  constructor(start: number) {
    this.start = start
    this.#end = start
  }

  /** Bytes. */
  get length(): number {
    return this.#end - this.start
  }

  /** How many of `length` bytes at `position` this window can still take in; 0 for none. */
  room(position: number, length: number): number {
    if (position < this.start || position > this.#end + SMALL_GAP) return 0
    return Math.max(Math.min(length, this.start + WINDOW - position), 0)
  }

  take(position: number, length: number): void {
    this.#end = Math.max(this.#end, position + length)
  }

  /** Begins to read into `buffer`, which is large enough; holes of the source are not read. */
  open(source: BlockSource, buffer: Buffer): void {
    this.#buffer = buffer
    this.#reading = fill(source, this.start, buffer.subarray(0, this.length))
    // reported to whom the bytes are for
    this.#reading.catch(() => undefined)
  }

  /** The memory, once nothing is read into it any more. */
  async settle(): Promise<Buffer | undefined> {
    await this.#reading?.catch(() => undefined)
    return this.#buffer
  }

  /** @throws what the source throws */
  async bytes(position: number, length: number): Promise<Buffer> {
    await this.#reading
    return this.#buffer!.subarray(position - this.start, position - this.start + length)
  }
}

async function fill(source: BlockSource, start: number, target: Buffer): Promise<void> {
  const reads: Promise<void>[] = []
  let done = 0
  for await (const { offset, length } of source.data(start, target.length)) {
    const from = offset - start
    target.fill(0, done, from)
    done = from + length
    reads.push(source.read(offset, target.subarray(from, done)))
    reads.at(-1)!.catch(() => undefined)
  }
  target.fill(0, done)
  await Promise.all(reads)
}
