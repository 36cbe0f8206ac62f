import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { C2mError, fileError, readFully, throwIfAborted } from '@c2m/process'

/** All tables of one image together; enough for 32 TiB of data in clusters of 64 KiB. */
const MAX_TABLES = 4 * 1024 ** 3
/** Their number; each takes a read. */
const MAX_TABLE_COUNT = 512 * 1024
/** Tables are read in pieces of this size. */
const PIECE = 1024 * 1024
/** 64 TiB: more than any hypervisor's virtual disk has. Keeps tables, QEMU's memory and the time bounded. */
const MAX_DISK = 2 ** 46

/** A disk image whose own tables are looked at. Every read is checked against the file's size. */
export class ImageFile implements AsyncDisposable {
  #tables = 0
  #tableCount = 0

  private constructor(
    readonly path: string,
    /** Bytes of the file. */
    readonly size: number,
    private readonly file: FileHandle,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @throws C2M_FILE_…, C2M_DISK_NOT_A_FILE, C2M_INTERRUPTED */
  static async open(path: string, signal?: AbortSignal): Promise<ImageFile> {
    throwIfAborted(signal)
    let file: FileHandle | undefined
    try {
      // a fifo must not wait for its writer
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      const stat = await file.stat()
      if (stat.isFile()) return new ImageFile(path, stat.size, file, signal)
      throw new C2mError('C2M_DISK_NOT_A_FILE', `${path} is not a regular file`, {
        hint: 'only raw disks are read from devices: copy the image to a file',
      })
    } catch (error) {
      await file?.close()
      throw fileError(error, path, 'read')
    }
  }

  /** @param what what lies there, for the error. @throws C2M_DISK_TRUNCATED, C2M_FILE_…, C2M_INTERRUPTED */
  async read(offset: number, length: number, what: string): Promise<Buffer> {
    throwIfAborted(this.signal)
    this.mustHold(offset, length, what)
    const buffer = Buffer.alloc(length)
    try {
      if ((await readFully(this.file, buffer, offset)) < length) throw this.truncated(what, offset + length)
    } catch (error) {
      throw fileError(error, this.path, 'read')
    }
    return buffer
  }

  /**
   * A table in pieces that hold whole entries.
   * @param entrySize bytes; divides 1 MiB
   * @throws as `read`, and C2M_DISK_DAMAGED when the image's tables are impossibly large
   */
  async *readTable(offset: number, entries: number, entrySize: number, what: string): AsyncGenerator<Buffer> {
    const length = entries * entrySize
    this.mustHold(offset, length, what)
    this.#tables += length
    this.#tableCount++
    if (this.#tables > MAX_TABLES || this.#tableCount > MAX_TABLE_COUNT) {
      throw this.damaged('its tables are larger than those of any sound image')
    }
    for (let at = 0; at < length; at += PIECE) yield this.read(offset + at, Math.min(PIECE, length - at), what)
  }

  /** @throws C2M_DISK_TRUNCATED unless the file holds the bytes */
  mustHold(offset: number, length: number, what: string): void {
    if (offset >= 0 && length >= 0 && offset + length <= this.size) return
    throw this.truncated(what, offset + length)
  }

  /** @throws C2M_DISK_TOO_LARGE */
  checkDiskSize(size: number): void {
    if (size >= 0 && size <= MAX_DISK) return
    throw new C2mError('C2M_DISK_TOO_LARGE', `${this.path} says that its disk has ${size} bytes, more than 64 TiB`, {
      hint: 'the image is damaged or made to do harm',
    })
  }

  truncated(what: string, end: number): C2mError {
    return new C2mError(
      'C2M_DISK_TRUNCATED',
      `${this.path} is incomplete: ${what} would end at byte ${end}, the file has ${this.size}`,
      { hint: 'copy or download the image again' },
    )
  }

  damaged(why: string, hint = 'copy the image again, or repair a copy of it'): C2mError {
    return new C2mError('C2M_DISK_DAMAGED', `${this.path} is damaged: ${why}`, { hint })
  }

  unsupported(what: string, hint: string): C2mError {
    return new C2mError('C2M_DISK_UNSUPPORTED', `${this.path} ${what}`, { hint })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close()
  }
}
