import type { FileHandle } from 'node:fs/promises'
import type { ByteSource } from '../tar/source.js'

/** Large enough for the headers of many small files, small enough not to read much of the large ones' bodies. */
const WINDOW = 128 * 1024

/** Reads a file's headers here and there; what is skipped is not read. */
export class FileSource implements ByteSource {
  position = 0
  readonly #file: FileHandle
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW)
  #start = 0
  #end = 0

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

  async #load(length: number): Promise<Uint8Array> {
    if (length > WINDOW) return this.#readAlone(length)
    this.#start = this.position
    this.#end = this.position + (await readFully(this.#file, this.#buffer, this.position))
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

/** Fills the buffer from a file's offset; returns how many bytes there were. */
export async function readFully(file: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < buffer.length) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
