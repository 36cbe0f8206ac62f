import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { readFully } from '@c2m/process'
import type { ByteSource } from '../tar/source.js'

/** Holds the headers of a few small files; of larger ones hardly more than the header is read. */
const WINDOW = 16 * 1024
/** A read from the page cache takes less time than handing it to another thread, yet signals and timers need their turn. */
const READS_PER_TURN = 64

/** Reads a file's headers here and there; what is skipped is not read. */
export class FileSource implements ByteSource {
  position = 0
  readonly #file: FileHandle
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW)
  #start = 0
  #end = 0
  #reads = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  take(length: number): Uint8Array | Promise<Uint8Array> {
    if (this.position < this.#start || this.position + length > this.#end) return this.#load(length)
    const at = this.position - this.#start
    this.position += length
    return this.#buffer.subarray(at, at + length)
  }

  seek(position: number): void {
    this.position = position
  }

  #load(length: number): Uint8Array | Promise<Uint8Array> {
    if (length > WINDOW) return this.#readAlone(length)
    if (++this.#reads % READS_PER_TURN === 0) {
      return readFully(this.#file, this.#buffer, this.position).then((read) => this.#takeLoaded(read, length))
    }
    return this.#takeLoaded(readSync(this.#file.fd, this.#buffer, 0, WINDOW, this.position), length)
  }

  #takeLoaded(read: number, length: number): Uint8Array {
    this.#start = this.position
    this.#end = this.position + read
    const taken = this.#buffer.subarray(0, Math.min(length, this.#end - this.#start))
    this.position += taken.length
    return taken
  }

  async #readAlone(length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length)
    const read = await readFully(this.#file, buffer, this.position)
    this.position += read
    return buffer.subarray(0, read)
  }
}
