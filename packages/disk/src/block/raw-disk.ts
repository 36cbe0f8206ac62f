import { open, type FileHandle } from 'node:fs/promises'
import { BackgroundFlush, C2mError, fileError, writeFully } from '@c2m/process'
import { checkBounds } from './bounds.js'
import type { BlockTarget } from './target.js'

/** A raw disk in a sparse file. */
export interface RawDisk extends BlockTarget, AsyncDisposable {
  /** Bytes; changes with `resize`. */
  readonly size: number
  /** Grows (by a hole) or cuts the disk. @throws a file error, C2M_DISK_SIZE */
  resize(size: number): Promise<void>
  /** Returns when all that was written has reached the medium (fsync). */
  sync(): Promise<void>
  /** Closes the file; the disk cannot be used afterwards. Closing twice does nothing. */
  close(): Promise<void>
}

/** Unit in which runs of zeros are looked for: the block size of common file systems. */
const BLOCK = 4096
/** Unit in which the disk remembers where data was written. */
const CHUNK = 1024 * 1024

/**
 * Makes (or empties) a file of `size` bytes without allocating any. Whole 4 KiB blocks of zeros stay holes as long as
 * nothing was written to the mebibyte around them.
 * @throws C2M_FILE_… when the file cannot be made or written, C2M_DISK_SIZE
 */
export async function createRawDisk(path: string, size: number): Promise<RawDisk> {
  checkSize(size)
  const file = await open(path, 'w', 0o600).catch((error: unknown) => {
    throw fileError(error, path, 'create')
  })
  const disk = new SparseFile(file, path)
  try {
    await disk.resize(size)
  } catch (error) {
    await disk.close()
    throw error
  }
  return disk
}

function checkSize(size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return
  throw new C2mError('C2M_DISK_SIZE', `a disk cannot have ${size} bytes`, { hint: 'give a whole number of bytes' })
}

class SparseFile implements RawDisk {
  #size = 0
  /** Chunks that hold data: there, zeros must really be written. */
  readonly #touched = new Set<number>()
  #closed = false
  readonly #flush: BackgroundFlush

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
  ) {
    this.#flush = new BackgroundFlush(file)
  }

  get size(): number {
    return this.#size
  }

  async resize(size: number): Promise<void> {
    checkSize(size)
    await this.#attempt('resize', () => this.file.truncate(size))
    this.#size = size
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    checkBounds(this.#size, offset, data.length)
    for (const [start, end] of this.#runs(offset, data)) {
      this.#touch(offset + start, offset + end)
      await this.#attempt('write', () => writeFully(this.file, data.subarray(start, end), offset + start))
      this.#flush.wrote(end - start)
    }
  }

  async sync(): Promise<void> {
    await this.#attempt('write', async () => {
      await this.#flush.finish()
      await this.file.sync()
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#flush.idle()
    await this.#attempt('close', () => this.file.close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The parts of `data`, as [start, end), that cannot stay holes. */
  #runs(offset: number, data: Uint8Array): [number, number][] {
    const runs: [number, number][] = []
    for (let start = 0; start < data.length;) {
      const end = Math.min(data.length, start + BLOCK - ((offset + start) % BLOCK))
      const last = runs.at(-1)
      if (this.#mayStayHole(offset + start, data.subarray(start, end))) {
        start = end
        continue
      }
      if (last !== undefined && last[1] === start) last[1] = end
      else runs.push([start, end])
      start = end
    }
    return runs
  }

  #mayStayHole(offset: number, block: Uint8Array): boolean {
    return block.length === BLOCK && !this.#touched.has(Math.floor(offset / CHUNK)) && isZero(block)
  }

  #touch(start: number, end: number): void {
    for (let chunk = Math.floor(start / CHUNK); chunk * CHUNK < end; chunk++) this.#touched.add(chunk)
  }

  async #attempt(doing: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw fileError(error, this.path, doing)
    }
  }
}

const ZEROS = Buffer.alloc(BLOCK)

function isZero(block: Uint8Array): boolean {
  return block[0] === 0 && ZEROS.compare(block) === 0
}
