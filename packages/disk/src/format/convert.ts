import type { DiskFormat } from '@c2m/plugin-api'
import { C2mError, ExitCode, requireTool, run } from '@c2m/process'
import { rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { qemuFormat } from './formats.js'
import { setIdentifiers } from './identifiers.js'

export interface ConvertOptions {
  readonly signal?: AbortSignal
  /** Compresses the contents: qcow2 always can, vmdk as 'streamOptimized'. */
  readonly compress?: boolean
  /** vmdk: 'monolithicSparse' (default), 'streamOptimized'; vhd: 'dynamic' (default), 'fixed' (Azure). */
  readonly subformat?: string
  /**
   * Bytes that depend on nothing but the label: the identifiers that vdi, vmdk and vhd carry are made of them, so that the
   * same disk gives the same file. Without it, and in vhdx, they are QEMU's random ones.
   */
  readonly random?: (label: string, length: number) => Uint8Array
}

const MIB = 1024 * 1024
/** Parallel requests; more gains nothing on the storage that was tried. */
const COROUTINES = '8'

const SUBFORMATS: Partial<Record<DiskFormat, readonly string[]>> = {
  vmdk: ['monolithicSparse', 'streamOptimized'],
  vhd: ['dynamic', 'fixed'],
}

/**
 * Writes a raw disk in another format with qemu-img; holes and zeros take no room in the result where the format allows
 * it. `outPath` is the caller's temporary file: it is replaced, and removed when the conversion fails. A vmdk records
 * the last part of that path and must keep this name.
 * @throws C2M_TOOL_MISSING, C2M_FORMAT_OPTION (exit code 2), C2M_FORMAT_SIZE, C2M_FILE_ENOSPC, C2M_COMMAND_FAILED,
 *   C2M_INTERRUPTED
 */
export async function convertRawDisk(
  rawPath: string,
  outPath: string,
  format: DiskFormat,
  options: ConvertOptions = {},
): Promise<void> {
  const formatOptions = optionsFor(format, options)
  await checkSize(rawPath, format, options)
  const program = await requireTool('qemu-img', `writing ${format}`, 'qemu-utils')
  const { signal } = options
  const arguments_ = [
    'convert',
    ...['-f', 'raw', '-O', qemuFormat(format)],
    ...(formatOptions.length > 0 ? ['-o', formatOptions.join(',')] : []),
    ...(compresses(format, options) ? ['-c'] : []),
    ...['-m', COROUTINES],
    // where every byte has a fixed place, the order of the writes does not show in the result
    ...(hasFixedPlaces(format, options) ? ['-W'] : []),
    // absolute: qemu-img takes what stands before a colon for a protocol
    ...[resolve(rawPath), resolve(outPath)],
  ]
  try {
    await run(program, arguments_, { signal, env: { ...process.env, LC_ALL: 'C' } })
    if (options.random !== undefined) await setIdentifiers(outPath, format, options.random)
  } catch (error) {
    await rm(outPath, { force: true })
    throw noSpace(error, outPath) ?? error
  }
}

function optionsFor(format: DiskFormat, { compress, subformat }: ConvertOptions): string[] {
  const known = SUBFORMATS[format] ?? []
  if (subformat !== undefined && !known.includes(subformat)) {
    throw new C2mError('C2M_FORMAT_OPTION', `${format} has no variant '${subformat}'`, {
      hint: known.length > 0 ? `choose one of ${known.join(', ')}` : `${format} has no variants`,
      exitCode: ExitCode.usage,
    })
  }
  if (compress === true && format !== 'qcow2' && subformat !== 'streamOptimized') {
    throw new C2mError('C2M_FORMAT_OPTION', `${subformat ?? format} cannot be compressed`, {
      hint: 'choose qcow2, or vmdk with the variant streamOptimized',
      exitCode: ExitCode.usage,
    })
  }
  // VMware's own default controller: its machines find a disk of another type only with their settings changed
  if (format === 'vmdk') return [`subformat=${subformat ?? 'monolithicSparse'}`, 'adapter_type=lsilogic']
  // without force_size, the size is rounded to what cylinders, heads and sectors can express
  if (format === 'vhd') return [`subformat=${subformat ?? 'dynamic'}`, 'force_size=on']
  return []
}

function compresses(format: DiskFormat, { compress, subformat }: ConvertOptions): boolean {
  return subformat === 'streamOptimized' || (format === 'qcow2' && compress === true)
}

function hasFixedPlaces(format: DiskFormat, { subformat }: ConvertOptions): boolean {
  return format === 'raw' || subformat === 'fixed'
}

async function checkSize(rawPath: string, format: DiskFormat, { subformat }: ConvertOptions): Promise<void> {
  if (format !== 'vhd') return
  const { size } = await stat(rawPath)
  if (size > 2040 * 1024 * MIB) {
    throw new C2mError('C2M_FORMAT_SIZE', `a VHD has 2040 GiB at most, this disk has ${size} bytes`, {
      hint: 'choose vhdx, or a smaller disk',
    })
  }
  if (subformat === 'fixed' && size % MIB !== 0) {
    throw new C2mError('C2M_FORMAT_SIZE', `a fixed VHD must be a multiple of 1 MiB, this disk has ${size} bytes`, {
      hint: 'choose a size in MiB',
    })
  }
}

function noSpace(error: unknown, path: string): C2mError | undefined {
  if (!(error instanceof Error) || !error.message.includes('No space left on device')) return undefined
  return new C2mError('C2M_FILE_ENOSPC', `cannot write ${path}: no space left`, {
    hint: 'free some space there, or choose another place',
    cause: error,
  })
}
