import { NewFile } from './file.js'
import type { Write } from './layer.js'
import { blobHeader } from './tar-header.js'

const BLOCK = 512

/**
 * A tar archive of blobs in the making. A blob whose digest and size are not known yet is written in one pass: room for
 * its header is left, and filled at its end.
 */
export class TarFile implements AsyncDisposable {
  readonly #file: NewFile
  readonly #names = new Set<string>()
  #end = 0

  private constructor(file: NewFile) {
    this.#file = file
  }

  /** @param shown the archive's name in errors */
  static async create(path: string, shown: string): Promise<TarFile> {
    return new TarFile(await NewFile.create(path, shown))
  }

  /** A name that is there already has the same content, since names are digests, and is not written again. */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    if (this.#names.has(name)) return
    await this.#file.write(blobHeader(name, bytes.length), this.#end)
    await this.#file.write(bytes, this.#end + BLOCK)
    this.#seal(name, bytes.length)
  }

  /** @param fill writes the blob; `nameOf` tells its name from what it returned */
  async stream<T>(fill: (write: Write) => Promise<T>, nameOf: (filled: T) => string): Promise<T> {
    let size = 0
    const filled = await fill((chunk) => {
      const position = this.#end + BLOCK + size
      size += chunk.length
      return this.#file.write(chunk, position)
    })
    const name = nameOf(filled)
    if (this.#names.has(name)) {
      await this.#file.truncate(this.#end)
      return filled
    }
    await this.#file.write(blobHeader(name, size), this.#end)
    this.#seal(name, size)
    return filled
  }

  /** Writes the end of the archive: two blocks of zeros. */
  async finish(): Promise<void> {
    // what was never written, here and between the members, reads as zeros
    await this.#file.truncate(this.#end + 2 * BLOCK)
    await this.#file.finish()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]()
  }

  #seal(name: string, size: number): void {
    this.#names.add(name)
    this.#end += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
}
