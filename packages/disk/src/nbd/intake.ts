/**
 * What a server says, read piece by piece: each yielded memory is filled with what comes next before the generator goes
 * on. It is a plain, not an async generator, so that nothing received ever waits in a queue.
 */
export type Conversation = Generator<Uint8Array, void, void>

/** Pieces at least this long are received in place, without a copy. */
const SCRATCH_SIZE = 64 * 1024

/** Hands a socket the memory to read into, and its contents to a conversation. */
export class Intake {
  readonly #scratch = Buffer.allocUnsafe(SCRATCH_SIZE)
  #wanted: Uint8Array = new Uint8Array(0)
  #filled = 0
  #inPlace = false

  constructor(private readonly conversation: Conversation) {
    this.#next()
  }

  /** Memory for the socket's next read. */
  memory(): Uint8Array {
    this.#inPlace = this.#wanted.length - this.#filled >= SCRATCH_SIZE
    return this.#inPlace ? this.#wanted.subarray(this.#filled) : this.#scratch
  }

  /**
   * Takes note that `count` bytes were read into what `memory` gave last.
   * @throws what the conversation throws
   */
  received(count: number): void {
    if (this.#inPlace) {
      this.#advance(count)
      return
    }
    for (let at = 0; at < count;) {
      const length = Math.min(count - at, this.#wanted.length - this.#filled)
      this.#wanted.set(this.#scratch.subarray(at, at + length), this.#filled)
      at += length
      this.#advance(length)
    }
  }

  #advance(count: number): void {
    this.#filled += count
    if (this.#filled === this.#wanted.length) this.#next()
  }

  #next(): void {
    this.#filled = 0
    do {
      const { done, value } = this.conversation.next()
      if (done === true) throw new Error('the conversation is over, but the other side goes on')
      this.#wanted = value
    } while (this.#wanted.length === 0)
  }
}
