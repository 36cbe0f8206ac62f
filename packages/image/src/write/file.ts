import { open, type FileHandle } from 'node:fs/promises'
import { BackgroundFlush, fileError, writeFully } from '@c2m/process'
import type { Write } from './layer.js'

/** A new file that is written at any place and flushed to the medium on the way. Errors name it as the user knows it. */
export class NewFile implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #shown: string
  readonly #flush: BackgroundFlush

  private constructor(file: FileHandle, shown: string) {
    this.#file = file
    this.#flush = new BackgroundFlush(file)
    this.#shown = shown
  }

  /** @throws C2M_FILE_…, as do its methods */
  static async create(path: string, shown: string): Promise<NewFile> {
    try {
      return new NewFile(await open(path, 'wx', 0o600), shown)
    } catch (error) {
      throw fileError(error, shown, 'write')
    }
  }

  /** All of it, also when the system takes it in parts. */
  async write(data: Uint8Array, position: number): Promise<void> {
    await this.#attempt(() => writeFully(this.#file, data, position))
    this.#flush.wrote(data.length)
  }

  async truncate(length: number): Promise<void> {
    await this.#attempt(() => this.#file.truncate(length))
  }

  /** To be called at the end: throws what went wrong in the background. */
  async finish(): Promise<void> {
    await this.#attempt(() => this.#flush.finish())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flush.idle()
    await this.#file.close()
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw fileError(error, this.#shown, 'write')
    }
  }
}

/**
 * Makes a new file of what `fill` writes, from its beginning to its end.
 * @param shown its name in errors, as the user knows it
 * @throws C2M_FILE_…; what `fill` throws
 */
export async function writeStream<T>(path: string, shown: string, fill: (write: Write) => Promise<T>): Promise<T> {
  await using file = await NewFile.create(path, shown)
  let position = 0
  const filled = await fill((chunk) => {
    const at = position
    position += chunk.length
    return file.write(chunk, at)
  })
  await file.finish()
  return filled
}

/** The same for a file that is small enough to be held. */
export function writeSmall(path: string, bytes: Uint8Array | string, shown: string): Promise<void> {
  return writeStream(path, shown, (write) => write(Buffer.from(bytes)))
}
