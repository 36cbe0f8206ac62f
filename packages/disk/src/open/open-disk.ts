import type { DiskFormat } from '@c2m/plugin-api'
import { findTool } from '@c2m/process'
import { openRawSource } from '../block/raw-source.js'
import type { BlockSource } from '../block/source.js'
import { serveDisk } from '../nbd/qemu-nbd.js'
import { checkDisk, type CheckedDisk, type OpenDiskOptions } from './checked-disk.js'

/** A disk image opened for reading. Disposing ends what reads it. */
export interface OpenDisk extends AsyncDisposable {
  /** The disk inside, from its first sector. */
  readonly source: BlockSource
  /** 'raw' also for what nothing is known about: it may be the dump of a partition. */
  readonly format: DiskFormat
  /** E.g. 'dynamic', 'streamOptimized'; of a raw disk its partition table: 'gpt' or 'mbr'. */
  readonly variant?: string
  /** All files that are read, absolute: the image, its extents, the images that it is based on. */
  readonly files: readonly string[]
  /** What a user should know, e.g. that snapshots inside are left aside; sentences. */
  readonly notices: readonly string[]
}

/**
 * Opens a disk image of any format as blocks. Raw files and block devices are read directly, other formats through
 * qemu-nbd, after all their files and tables were checked.
 * @throws C2M_FILE_…, C2M_TOOL_MISSING, C2M_INTERRUPTED and C2M_DISK_…: FORMAT, UNSUPPORTED, ENCRYPTED, TRUNCATED,
 *   DAMAGED, TOO_LARGE, NOT_A_FILE, REFERENCE, REFERENCE_MISSING, CHAIN, IN_USE, UNCLEAN, CHANGED, OPEN
 */
export async function openDisk(path: string, options: OpenDiskOptions = {}): Promise<OpenDisk> {
  const checked = await checkDisk(path, options)
  const { format, variant, files, notices } = checked
  const opened = format === 'raw' ? await openRaw(checked, options) : await openServed(checked, path, options)
  return { ...opened, format, ...(variant === undefined ? {} : { variant }), files, notices }
}

/** A disk that other programs of this user can read, too, as long as it is not disposed of. */
export interface SharedDisk extends OpenDisk {
  /** Path of a unix socket on which an NBD server listens. */
  readonly socket: string
}

/**
 * As `openDisk`, and other programs can read the same blocks, whatever the format, through a socket.
 * @throws what `openDisk` throws
 */
export async function shareDisk(path: string, options: OpenDiskOptions = {}): Promise<SharedDisk> {
  const checked = await checkDisk(path, options)
  const { format, variant, files, notices } = checked
  const served = await openServed(checked, path, options)
  return { ...served, format, ...(variant === undefined ? {} : { variant }), files, notices }
}

type Opened = AsyncDisposable & { readonly source: BlockSource }

function opened(source: BlockSource & AsyncDisposable): Opened {
  return { source, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() }
}

async function openRaw({ path, node, isDevice }: CheckedDisk, options: OpenDiskOptions): Promise<Opened> {
  return opened(
    await openRawSource(path, {
      signal: options.signal,
      openHoles: async () => {
        // without it, reading zeros takes its time, no more
        if (isDevice || (await findTool('qemu-nbd')) === undefined) return undefined
        return serveDisk(node, path, options)
      },
    }),
  )
}

async function openServed(
  { node, checkUnchanged }: CheckedDisk,
  shown: string,
  options: OpenDiskOptions,
): Promise<Opened & { readonly socket: string }> {
  const served = await serveDisk(node, shown, options)
  try {
    // what QEMU opened is what was checked
    await checkUnchanged()
    return { ...opened(served), socket: served.socket }
  } catch (error) {
    await served[Symbol.asyncDispose]()
    throw error
  }
}
