import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import {
  BackgroundFlush,
  C2mError,
  errno,
  fileError,
  findTool,
  isC2mError,
  readFully,
  run,
  throwIfAborted,
  writeFully,
} from '@c2m/process'
import type { ByteRange } from '../block/source.js'
import { findBlockDevice, type BlockDevice } from './block-device.js'
import { describeDevice, deviceInUse } from './check-device.js'
import { compareRanges, pieces, type ReadInto } from './compare.js'
import { writtenRanges } from './written-ranges.js'

export interface WriteDeviceOptions {
  /** Bytes from the start of the disk to the end of its last file system: behind it only GPT's backup is. */
  readonly end: number
  readonly signal?: AbortSignal
  /** Bytes that were written, then those that were compared. */
  readonly onProgress?: (bytes: number) => void
  /** What the user should know though the device is complete. */
  readonly warn: (message: string) => void
}

/**
 * Writes a raw disk onto a device of the same size, has it reach the medium, and compares what the medium gives back. The
 * partition table goes last, and the old one first: a device that was not finished has none.
 * @throws C2M_DEVICE_IN_USE, C2M_DEVICE_CHANGED before anything is written; C2M_DEVICE_WRITE, C2M_DEVICE_MISMATCH,
 *   C2M_FILE_…, C2M_INTERRUPTED
 */
export async function writeDevice(rawPath: string, device: BlockDevice, options: WriteDeviceOptions): Promise<void> {
  const shown = describeDevice(device)
  const { body, ends } = writtenRanges(device.size, options.end)
  const disk = await open(rawPath, 'r')
  try {
    const file = await openDevice(device, shown)
    try {
      const written = reader(disk, rawPath)
      const copy = (ranges: readonly ByteRange[], read: ReadInto) => copyRanges(ranges, read, file, shown, options)
      const incomplete = `${device.path} is incomplete now: what was on it is gone, and it does not boot`
      await telling(options, incomplete, async () => {
        await copy(ends, zeros)
        await copy(body, written)
        await copy(ends, written)
      })
      await telling(options, `${device.path} was written, but not compared to the end`, async () => {
        await dropCaches(device, options)
        await compareRanges([...body, ...ends], written, reader(file, shown), shown, options)
      })
    } finally {
      await file.close()
    }
  } finally {
    await disk.close()
  }
  await announceTable(device, options)
}

/** An interrupted user should know what the device is now. */
async function telling({ signal, warn }: WriteDeviceOptions, state: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (signal?.aborted === true) warn(state)
    throw error
  }
}

/** O_EXCL without O_CREAT (open(2)): fails while a file system, swap, or another program with O_EXCL has the device. */
async function openDevice(device: BlockDevice, shown: string): Promise<FileHandle> {
  const { path } = device
  const file = await open(path, constants.O_RDWR | constants.O_EXCL).catch((error: unknown) => {
    throw errno(error) === 'EBUSY'
      ? deviceInUse(shown, 'the kernel or another program holds it', error)
      : fileError(error, path, 'write to')
  })
  const now = await findBlockDevice(path)
  const same = (['number', 'size', 'model', 'serial'] as const).every((aspect) => now?.[aspect] === device[aspect])
  if (same) return file
  await file.close()
  throw new C2mError('C2M_DEVICE_CHANGED', `${path} is another device than it was when the conversion began`, {
    hint: 'nothing was written; name it by what stays, as /dev/disk/by-id/…, and try again',
  })
}

/** Zeros are written like everything else: what the device holds is whatever it held. */
async function copyRanges(
  ranges: readonly ByteRange[],
  read: ReadInto,
  file: FileHandle,
  shown: string,
  { signal, onProgress }: WriteDeviceOptions,
): Promise<void> {
  const flush = new BackgroundFlush(file)
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024)
  let at = 0
  try {
    for (const { offset, length } of pieces(ranges, buffer.length)) {
      throwIfAborted(signal)
      at = offset
      const part = buffer.subarray(0, length)
      await read(offset, part)
      await attempt(shown, at, () => writeFully(file, part, offset))
      flush.wrote(length)
      onProgress?.(length)
    }
    await attempt(shown, at, async () => {
      await flush.finish()
      await file.sync()
    })
  } finally {
    await flush.idle()
  }
}

async function attempt(shown: string, offset: number, act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (isC2mError(error)) throw error
    throw new C2mError(
      'C2M_DEVICE_WRITE',
      `writing to ${shown} failed near byte ${offset}: ${errno(error) ?? (error as Error).message}`,
      { hint: 'it is incomplete now; dmesg may say more of its medium', cause: error },
    )
  }
}

const zeros: ReadInto = async (_offset, target) => void target.fill(0)

function reader(file: FileHandle, shown: string): ReadInto {
  return async (offset, target) => {
    const read = await readFully(file, target, offset).catch((error: unknown) => {
      throw readError(shown, offset, error)
    })
    if (read < target.length) throw readError(shown, offset)
  }
}

function readError(shown: string, offset: number, cause?: unknown): C2mError {
  const why = cause === undefined ? 'it ends there' : (errno(cause) ?? (cause as Error).message)
  return new C2mError('C2M_DEVICE_READ', `reading back from ${shown} failed near byte ${offset}: ${why}`, {
    hint: 'its medium is faulty; use another one',
    cause,
  })
}

/** Without this (BLKFLSBUF, which needs root) the kernel would answer from its memory instead of the medium. */
async function dropCaches({ path }: BlockDevice, { warn, signal }: WriteDeviceOptions): Promise<void> {
  const done = await blockdev(['--flushbufs', path], signal)
  if (!done) warn(`what was written to ${path} is compared as the kernel remembers it: its cache could not be emptied`)
}

/** The device is complete; who wants to look at its partitions now needs the kernel to know them. */
async function announceTable({ path }: BlockDevice, { warn }: WriteDeviceOptions): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (await blockdev(['--rereadpt', path])) return
    // udev looks at a device when its writer lets go of it
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  warn(`the kernel still has the old partition table of ${path}: take it out and put it in again, or run partprobe`)
}

const TRIES = 4
const PAUSE_MS = 250

async function blockdev(args: readonly string[], signal?: AbortSignal): Promise<boolean> {
  const program = await findTool('blockdev')
  if (program === undefined) return false
  try {
    await run(program, args, { signal })
    return true
  } catch {
    throwIfAborted(signal)
    return false
  }
}
