import { constants } from 'node:fs'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { C2mError, errno, fileError, readFully, throwIfAborted } from '@c2m/process'
import { diskInUse } from '../open/in-use.js'
import { checkBounds } from './bounds.js'
import { deviceNumbers } from './device-numbers.js'
import type { BlockSource, ByteRange } from './source.js'

export interface RawSource extends BlockSource, AsyncDisposable {}

export interface RawSourceOptions {
  readonly signal?: AbortSignal
  /** Knows where the holes of a sparse file are. It is opened when first asked for, and closed with the source; undefined: nobody knows. */
  readonly openHoles?: () => Promise<(BlockSource & AsyncDisposable) | undefined>
}

/** Linux gives the size of a block device in this unit, whatever its sectors (sysfs-block). */
const SYSFS_SECTOR = 512

/**
 * A raw disk, or the dump of a partition, in a file or on a block device.
 * @throws C2M_FILE_…, C2M_DISK_IN_USE when a block device is mounted or otherwise held, C2M_DISK_NOT_A_FILE,
 *   C2M_INTERRUPTED
 */
export async function openRawSource(path: string, options: RawSourceOptions = {}): Promise<RawSource> {
  throwIfAborted(options.signal)
  const file = await openFile(path)
  try {
    const stat = await file.stat()
    const device = stat.isBlockDevice()
    if (!device && !stat.isFile()) throw notAFile(path)
    const size = device ? await deviceSize(stat.rdev, path) : stat.size
    const sparse = !device && stat.blocks * 512 < size
    return new RawFile(file, path, size, sparse ? options : { ...options, openHoles: undefined })
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // O_EXCL without O_CREAT: of a block device only (open(2)), fails while the kernel or another program holds it;
    // O_NONBLOCK: a fifo must not wait for its writer
    return await open(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK)
  } catch (error) {
    throw errno(error) === 'EBUSY' ? diskInUse(path, error) : fileError(error, path, 'read')
  }
}

function notAFile(path: string): C2mError {
  return new C2mError('C2M_DISK_NOT_A_FILE', `${path} is neither a file nor a block device`, {
    hint: 'name a disk image or a block device',
  })
}

async function deviceSize(rdev: number, path: string): Promise<number> {
  const { major, minor } = deviceNumbers(rdev)
  const text = await readFile(`/sys/dev/block/${major}:${minor}/size`, 'latin1').catch((error: unknown) => {
    throw fileError(error, path, 'find the size of')
  })
  return Number(text.trim()) * SYSFS_SECTOR
}

class RawFile implements RawSource {
  #holes: Promise<(BlockSource & AsyncDisposable) | undefined> | undefined
  #closed = false

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    readonly size: number,
    private readonly options: RawSourceOptions,
  ) {}

  async read(offset: number, target: Uint8Array): Promise<void> {
    checkBounds(this.size, offset, target.length)
    throwIfAborted(this.options.signal)
    try {
      const read = await readFully(this.file, target, offset)
      if (read < target.length) throw this.#shrunk(offset + read)
    } catch (error) {
      throw this.#readError(error, offset)
    }
  }

  async *data(offset: number, length: number): AsyncIterable<ByteRange> {
    checkBounds(this.size, offset, length)
    if (length === 0) return
    const holes = await (this.#holes ??= this.options.openHoles?.())
    if (holes === undefined) yield { offset, length }
    else yield* holes.data(offset, length)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.file.close()
    const holes = await this.#holes?.catch(() => undefined)
    await holes?.[Symbol.asyncDispose]()
  }

  #shrunk(offset: number): C2mError {
    return new C2mError('C2M_DISK_CHANGED', `${this.path} ends at byte ${offset}, it had ${this.size}`, {
      hint: 'somebody changes the file; read it when nobody does',
    })
  }

  #readError(error: unknown, offset: number): unknown {
    if (errno(error) !== 'EIO') return fileError(error, this.path, 'read')
    return new C2mError('C2M_DISK_READ', `${this.path} cannot be read at offset ${offset}: input/output error`, {
      hint: 'its storage fails; copy what can be read with ddrescue',
      cause: error,
    })
  }
}
