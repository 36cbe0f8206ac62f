import { open, type FileHandle } from 'node:fs/promises'
import { fileError } from '@c2m/process'
import type { Write } from './layer.js'
import { blobHeader } from './tar-header.js'

const BLOCK = 512

/**
 * A tar archive of blobs in the making. A blob whose digest and size are not known yet is written in one pass: room for
 * its header is left, and filled at its end.
 */
export class TarFile implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #shown: string
  readonly #names = new Set<string>()
  #end = 0

  private constructor(file: FileHandle, shown: string) {
    this.#file = file
    this.#shown = shown
  }

  /** @param shown the archive's name in errors */
  static async create(path: string, shown: string): Promise<TarFile> {
    try {
      return new TarFile(await open(path, 'wx'), shown)
    } catch (error) {
      throw fileError(error, shown, 'write')
    }
  }

  /** A name that is there already has the same content, since names are digests, and is not written again. */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    if (this.#names.has(name)) return
    await this.#write(blobHeader(name, bytes.length), this.#end)
    await this.#write(bytes, this.#end + BLOCK)
    this.#seal(name, bytes.length)
  }

  /** @param fill writes the blob; `nameOf` tells its name from what it returned */
  async stream<T>(fill: (write: Write) => Promise<T>, nameOf: (filled: T) => string): Promise<T> {
    let size = 0
    const filled = await fill((chunk) => {
      const position = this.#end + BLOCK + size
      size += chunk.length
      return this.#write(chunk, position)
    })
    const name = nameOf(filled)
    if (this.#names.has(name)) return filled // what follows overwrites it
    await this.#write(blobHeader(name, size), this.#end)
    this.#seal(name, size)
    return filled
  }

  /** Writes the end of the archive: two blocks of zeros. */
  async finish(): Promise<void> {
    const length = this.#end + 2 * BLOCK
    try {
      // cuts off a blob that was there twice; what was never written (padding, the end) reads as zeros
      await this.#file.truncate(this.#end)
      await this.#file.truncate(length)
    } catch (error) {
      throw fileError(error, this.#shown, 'write')
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close()
  }

  #seal(name: string, size: number): void {
    this.#names.add(name)
    this.#end += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }

  async #write(data: Uint8Array, position: number): Promise<void> {
    await writeAt(this.#file, data, position).catch((error: unknown) => {
      throw fileError(error, this.#shown, 'write')
    })
  }
}

/** All of it, also when the system takes it in parts. */
export async function writeAt(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    done += (await file.write(data, done, data.length - done, position + done)).bytesWritten
  }
}
