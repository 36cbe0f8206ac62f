import { realpath, stat } from 'node:fs/promises'
import type { DiskFormat } from '@c2m/plugin-api'
import { C2mError, ExitCode, fileError, type Reporter } from '@c2m/process'
import { formatForFile } from '../format/formats.js'
import { sniffDisk } from '../format/sniff.js'
import { blockNode } from './block-node.js'
import { walkChain } from './chain.js'
import { refuseForeign } from './foreign.js'
import { checkUnchanged } from './identity.js'

export interface OpenDiskOptions {
  /** Default: what the file's own bytes say. Guests write to raw disks and can make them look like another format. */
  readonly format?: DiskFormat
  /** Directories that backing files may lie in, besides the image's own folder. */
  readonly allowBacking?: readonly string[]
  /** Ends what runs; reads then fail with C2M_INTERRUPTED. */
  readonly signal?: AbortSignal
  /** Of children; XDG_RUNTIME_DIR or TMPDIR says where the socket's folder goes. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Gets the notices as warnings. */
  readonly reporter?: Reporter
}

/** A disk image whose files and tables were checked, and that QEMU may open. */
export interface CheckedDisk {
  /** A block device is a raw disk, whose content nobody checks. */
  readonly format: DiskFormat
  readonly variant?: string
  /** Absolute, without symlinks. */
  readonly path: string
  readonly isDevice: boolean
  /** QEMU's description (qemu(1), -blockdev): a driver for every file, so that nothing is guessed. */
  readonly node: object
  /** See OpenDisk. */
  readonly files: readonly string[]
  readonly notices: readonly string[]
  /** To be asked after another program has opened them. @throws C2M_DISK_CHANGED */
  checkUnchanged(): Promise<void>
}

/**
 * Checks a disk image, all its files and their tables, before any program opens them.
 * @throws C2M_FILE_…, C2M_INTERRUPTED and C2M_DISK_…: FORMAT, UNSUPPORTED, ENCRYPTED, TRUNCATED, DAMAGED, TOO_LARGE,
 *   NOT_A_FILE, REFERENCE, REFERENCE_MISSING, CHAIN, IN_USE, CHANGED
 */
export async function checkDisk(path: string, options: OpenDiskOptions = {}): Promise<CheckedDisk> {
  const kind = await stat(path).catch((error: unknown) => {
    throw fileError(error, path, 'read')
  })
  if (kind.isBlockDevice()) return checkDevice(path, options)
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
  const { images, files, notices } = await walkChain(path, format, options)
  const [image, ...bases] = images
  const variant = format === 'raw' && sniffed?.format === 'raw' ? sniffed.variant : image?.variant
  const basedOn = bases.length === 0 ? [] : [`${path} is based on ${bases.map((base) => base.path).join(', ')}`]
  const told = [...notices, ...basedOn]
  for (const notice of told) options.reporter?.warn(notice)
  return {
    format,
    ...(variant === undefined ? {} : { variant }),
    path: image?.path ?? path,
    isDevice: false,
    node: blockNode(images) ?? {},
    files: files.map((file) => file.path),
    notices: told,
    checkUnchanged: () => checkUnchanged(files),
  }
}

async function checkDevice(path: string, options: OpenDiskOptions): Promise<CheckedDisk> {
  if (options.format !== undefined && options.format !== 'raw') {
    throw new C2mError('C2M_DISK_NOT_A_FILE', `${path} is a block device; only raw disks are read from one`, {
      hint: 'copy the image to a file',
      exitCode: ExitCode.usage,
    })
  }
  const real = await realpath(path)
  return {
    format: 'raw',
    path: real,
    isDevice: true,
    node: { driver: 'raw', file: { driver: 'host_device', filename: real } },
    files: [real],
    notices: [],
    checkUnchanged: () => Promise.resolve(),
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
