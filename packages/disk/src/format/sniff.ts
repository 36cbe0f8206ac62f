import type { DiskFormat } from '@c2m/plugin-api'
import { fileError, readFully } from '@c2m/process'
import { open, type FileHandle } from 'node:fs/promises'
import { sniffQcow2 } from './qcow2-header.js'
import type { SniffedDisk } from './sniffed-disk.js'
import { VHD_FOOTER_SIZE, VHD_TYPE_OFFSET, isVhdFooter } from './vhd-footer.js'
import { sniffVmdk } from './vmdk-header.js'

/** Covers the headers of all formats and the GPT header of a disk with 4096-byte sectors. */
const HEAD = 64 * 1024
/** VHD disk types. */
const VHD_VARIANTS: Readonly<Record<number, string>> = { 2: 'fixed', 3: 'dynamic', 4: 'differencing' }
/** VDI image types (VirtualBox, VDICore.h). */
const VDI_VARIANTS: Readonly<Record<number, string>> = { 1: 'dynamic', 2: 'fixed', 3: 'undo', 4: 'differencing' }

/** The format of a disk file; undefined when no disk format and no partition table is recognized. @throws C2M_FILE_… */
export async function sniffDiskFormat(path: string): Promise<DiskFormat | undefined> {
  return (await sniffDisk(path))?.format
}

/** As `sniffDiskFormat`, with the variant and the files that it refers to. @throws C2M_FILE_… */
export async function sniffDisk(path: string): Promise<SniffedDisk | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const { size } = await file.stat()
    const head = await readAt(file, 0, HEAD)
    const foot = await readAt(file, Math.max(0, size - VHD_FOOTER_SIZE), VHD_FOOTER_SIZE)
    return sniffHead(head) ?? sniffVhd(foot) ?? sniffRaw(head)
  } catch (error) {
    throw fileError(error, path, 'read')
  } finally {
    await file?.close()
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, await readFully(file, buffer, offset))
}

function sniffHead(head: Buffer): SniffedDisk | undefined {
  return sniffQcow2(head) ?? sniffVmdk(head) ?? sniffVdi(head) ?? sniffVhdx(head) ?? sniffVhd(head)
}

/** VDI: signature 0xBEDA107F at byte 64, after a free text; image type at 76. */
function sniffVdi(head: Buffer): SniffedDisk | undefined {
  if (head.length < 512 || head.readUInt32LE(64) !== 0xbeda107f) return undefined
  return withVariant('vdi', VDI_VARIANTS[head.readUInt32LE(76)])
}

/** VHDX ([MS-VHDX] section 2.2.1): the file type identifier. */
function sniffVhdx(head: Buffer): SniffedDisk | undefined {
  return head.toString('latin1', 0, 8) === 'vhdxfile' ? withVariant('vhdx', undefined) : undefined
}

/** VHD: a footer at the end, with a copy at the beginning unless fixed. */
function sniffVhd(footer: Buffer): SniffedDisk | undefined {
  return isVhdFooter(footer) ? withVariant('vhd', VHD_VARIANTS[footer.readUInt32BE(VHD_TYPE_OFFSET)]) : undefined
}

/** A raw disk is known by its partition table; every other file would do as one, too. */
function sniffRaw(head: Buffer): SniffedDisk | undefined {
  const gpt = [512, 4096].some((sector) => head.toString('latin1', sector, sector + 8) === 'EFI PART')
  if (gpt) return withVariant('raw', 'gpt')
  if (head.length < 512 || head.readUInt16BE(510) !== 0x55aa) return undefined
  const entries = [446, 462, 478, 494]
  const sound = entries.every((at) => head[at] === 0 || head[at] === 0x80)
  const used = entries.some((at) => head[at + 4] !== 0 && head.readUInt32LE(at + 12) > 0)
  return sound && used ? withVariant('raw', 'mbr') : undefined
}

function withVariant(format: DiskFormat, variant: string | undefined): SniffedDisk {
  return { format, ...(variant === undefined ? {} : { variant }), refersTo: [] }
}
