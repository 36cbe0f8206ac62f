import type { BlockTarget } from '@c2m/disk'
import { throwIfAborted } from '@c2m/process'
import { BLOCK_SIZE } from './constants.js'

/** Large enough for few calls, small enough to be in a processor's cache still when the system copies it. */
const BUFFER_SIZE = 1024 * 1024

export interface BlockWriterOptions {
  readonly signal?: AbortSignal
  onProgress?(bytes: number): void
}

/** Gathers neighbouring bytes into large writes; one buffer fills while the other is being written. */
export class BlockWriter {
  readonly #target: BlockTarget
  readonly #options: BlockWriterOptions
  #filling = Buffer.allocUnsafeSlow(BUFFER_SIZE)
  #resting = Buffer.allocUnsafeSlow(BUFFER_SIZE)
  #start = 0
  #length = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(target: BlockTarget, options: BlockWriterOptions = {}) {
    this.#target = target
    this.#options = options
  }

  /** Copies `data` to be written at `offset` (bytes); it may still be on its way when the promise resolves. */
  async put(offset: number, data: Uint8Array): Promise<void> {
    if (offset !== this.#start + this.#length) await this.#turn(offset)
    for (let from = 0; from < data.length;) {
      if (this.#length === BUFFER_SIZE) await this.#turn(offset + from)
      const count = Math.min(BUFFER_SIZE - this.#length, data.length - from)
      this.#filling.set(count === data.length ? data : data.subarray(from, from + count), this.#length)
      this.#length += count
      from += count
    }
  }

  async putBlock(block: number, data: Uint8Array): Promise<void> {
    await this.put(block * BLOCK_SIZE, data)
  }

  /** Everything is with the target when this resolves. */
  async flush(): Promise<void> {
    await this.#turn(0)
    await this.#writing
  }

  /** Waits for the write under way without caring how it ended: for when something else has failed. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined)
  }

  async #turn(nextStart: number): Promise<void> {
    const bytes = this.#filling.subarray(0, this.#length)
    const start = this.#start
    await this.#writing
    throwIfAborted(this.#options.signal)
    this.#start = nextStart
    this.#length = 0
    if (bytes.length === 0) return
    const full = this.#filling
    this.#filling = this.#resting
    this.#resting = full
    this.#writing = this.#target.write(start, bytes).then(() => this.#options.onProgress?.(bytes.length))
    // an error is thrown by the next turn, which may come later than Node likes
    this.#writing.catch(() => undefined)
  }
}
