import { realpath, stat } from 'node:fs/promises'
import type { DiskFormat } from '@c2m/plugin-api'
import { C2mError, ExitCode, fileError, findTool, type Reporter } from '@c2m/process'
import { openRawSource } from '../block/raw-source.js'
import type { BlockSource } from '../block/source.js'
import { formatForFile } from '../format/formats.js'
import { sniffDisk } from '../format/sniff.js'
import { serveDisk } from '../nbd/qemu-nbd.js'
import { blockNode } from './block-node.js'
import { walkChain, type Chain } from './chain.js'
import { refuseForeign } from './foreign.js'
import { checkUnchanged } from './identity.js'

export interface OpenDiskOptions {
  /** Default: what the file's own bytes say. Guests write to raw disks and can make them look like another format. */
  readonly format?: DiskFormat
  /** Directories that backing files may lie in, besides the image's own folder. */
  readonly allowBacking?: readonly string[]
  /** Ends what runs; reads then fail with C2M_INTERRUPTED. */
  readonly signal?: AbortSignal
  /** Of children; TMPDIR says where the socket's folder goes. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Gets the notices as warnings. */
  readonly reporter?: Reporter
}

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
  const kind = await stat(path).catch((error: unknown) => {
    throw fileError(error, path, 'read')
  })
  if (kind.isBlockDevice()) return openDevice(path, options)
  if (!kind.isFile()) {
    throw new C2mError('C2M_DISK_NOT_A_FILE', `${path} is neither a file nor a block device`, {
      hint: 'name a disk image or a block device',
      exitCode: ExitCode.usage,
    })
  }
  const sniffed = await sniffDisk(path)
  const format = options.format ?? sniffed?.format ?? 'raw'
  if (options.format === undefined && format === 'raw') {
    await refuseForeign(path)
    refuseLostHeader(path)
  }
  const chain = await walkChain(path, format, options)
  const [image] = chain.images
  const variant = format === 'raw' && sniffed?.format === 'raw' ? sniffed.variant : image?.variant
  const opened = format === 'raw' ? await openRaw(chain, options) : await openServed(chain, path, options)
  const files = chain.files.map((file) => file.path)
  const notices = [...chain.notices]
  if (chain.images.length > 1)
    notices.push(
      `${path} is based on ${chain.images
        .slice(1)
        .map((i) => i.path)
        .join(', ')}`,
    )
  for (const notice of notices) options.reporter?.warn(notice)
  return { ...opened, format, ...(variant === undefined ? {} : { variant }), files, notices }
}

type Opened = AsyncDisposable & { readonly source: BlockSource }

async function openDevice(path: string, options: OpenDiskOptions): Promise<OpenDisk> {
  if (options.format !== undefined && options.format !== 'raw') {
    throw new C2mError('C2M_DISK_NOT_A_FILE', `${path} is a block device; only raw disks are read from one`, {
      hint: 'copy the image to a file',
      exitCode: ExitCode.usage,
    })
  }
  const source = await openRawSource(await realpath(path), { signal: options.signal })
  return { ...opened(source), format: 'raw', files: [await realpath(path)], notices: [] }
}

function opened(source: BlockSource & AsyncDisposable): Opened {
  return { source, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() }
}

async function openRaw({ images }: Chain, options: OpenDiskOptions): Promise<Opened> {
  const path = images[0]?.path ?? ''
  const node = blockNode(images)
  return opened(
    await openRawSource(path, {
      signal: options.signal,
      openHoles: async () => {
        // without it, reading zeros takes its time, no more
        if (node === null || (await findTool('qemu-nbd')) === undefined) return undefined
        return serveDisk(node, path, options)
      },
    }),
  )
}

async function openServed({ images, files }: Chain, shown: string, options: OpenDiskOptions): Promise<Opened> {
  const node = blockNode(images) ?? {}
  const served = await serveDisk(node, shown, options)
  try {
    // what QEMU opened is what was checked
    await checkUnchanged(files)
    return opened(served)
  } catch (error) {
    await served[Symbol.asyncDispose]()
    throw error
  }
}

/** The name says another format than raw, the bytes say none: the header of a VHD, for one, is its last sector. */
function refuseLostHeader(path: string): void {
  const named = formatForFile(path)
  if (named === undefined || named === 'raw') return
  throw new C2mError('C2M_DISK_FORMAT', `${path} is no ${named} image: it is cut, damaged or of another format`, {
    hint: 'copy or download it again; if it is a raw disk, say --format raw',
  })
}
