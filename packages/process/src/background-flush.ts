import type { FileHandle } from 'node:fs/promises'

/** Bytes after which writing to the medium begins. */
const INTERVAL = 64 * 1024 * 1024

/** Has a file's bytes taken to the medium while further ones are made, so that the last sync has little left to do. */
export class BackgroundFlush {
  readonly #file: FileHandle
  #unflushed = 0
  #flushing: Promise<void> | undefined
  #error: unknown

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** To be told of every write. @param bytes written now */
  wrote(bytes: number): void {
    this.#unflushed += bytes
    if (this.#unflushed < INTERVAL || this.#flushing !== undefined) return
    this.#unflushed = 0
    this.#flushing = this.#file
      .datasync()
      // the kernel tells of an error once, so a later sync would not
      .catch((error: unknown) => void (this.#error ??= error))
      .finally(() => (this.#flushing = undefined))
  }

  /** The file may be closed when this resolves. */
  async idle(): Promise<void> {
    await this.#flushing
  }

  /** Waits likewise. @throws what the system said of a write that failed on its way to the medium */
  async finish(): Promise<void> {
    await this.#flushing
    if (this.#error !== undefined) throw this.#error as Error
  }
}
