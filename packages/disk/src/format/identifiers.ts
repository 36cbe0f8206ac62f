import type { DiskFormat } from '@c2m/plugin-api'
import { fileError } from '@c2m/process'
import { open, type FileHandle } from 'node:fs/promises'
import { guidToBytes, uuidFromRandom } from '../partition-table/guid.js'
import {
  VHD_CHECKSUM_OFFSET,
  VHD_FOOTER_SIZE,
  VHD_TIME_OFFSET,
  VHD_UUID_OFFSET,
  isVhdFooter,
  vhdChecksum,
} from './vhd-footer.js'

type Random = (label: string, length: number) => Uint8Array

/** UUIDs of the image and of its last modification (VirtualBox, VDICore.h). */
const VDI_UUIDS = [392, 408]
/** qemu-img puts a vmdk's descriptor there, within this many bytes. */
const VMDK_DESCRIPTOR = 512
const VMDK_DESCRIPTOR_SIZE = 20 * 512

/**
 * Replaces the random identifiers (and the time) that qemu-img put into an image by chosen ones. Formats without
 * identifiers, and vhdx, stay as they are.
 * @throws C2M_FILE_…
 */
export async function setIdentifiers(path: string, format: DiskFormat, random: Random): Promise<void> {
  if (format !== 'vdi' && format !== 'vmdk' && format !== 'vhd') return
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r+')
    if (format === 'vdi') await setVdi(file, random)
    if (format === 'vmdk') await setVmdk(file, random)
    if (format === 'vhd') await setVhd(file, random)
  } catch (error) {
    throw fileError(error, path, 'write')
  } finally {
    await file?.close()
  }
}

async function setVdi(file: FileHandle, random: Random): Promise<void> {
  for (const offset of VDI_UUIDS) {
    await file.write(guidToBytes(uuidFromRandom(random(`vdi/${offset}`, 16))), 0, 16, offset)
  }
}

/**
 * The content id changes whenever the content does; all bits set would mean "no parent". qemu-img writes it without leading
 * zeros, so the text behind it moves.
 */
async function setVmdk(file: FileHandle, random: Random): Promise<void> {
  const { buffer } = await file.read(Buffer.alloc(VMDK_DESCRIPTOR_SIZE), 0, VMDK_DESCRIPTOR_SIZE, VMDK_DESCRIPTOR)
  const id = Buffer.from(random('vmdk/cid', 4)).readUInt32BE(0) & 0x7fffffff
  const [text = ''] = buffer.toString('latin1').split('\0')
  const changed = Buffer.alloc(VMDK_DESCRIPTOR_SIZE)
  changed.write(text.replace(/^CID=[0-9a-f]+$/m, `CID=${id.toString(16).padStart(8, '0')}`), 'latin1')
  await file.write(changed, 0, VMDK_DESCRIPTOR_SIZE, VMDK_DESCRIPTOR)
}

async function setVhd(file: FileHandle, random: Random): Promise<void> {
  const { size } = await file.stat()
  for (const offset of [0, size - VHD_FOOTER_SIZE]) {
    const { buffer: footer } = await file.read(Buffer.alloc(VHD_FOOTER_SIZE), 0, VHD_FOOTER_SIZE, offset)
    if (!isVhdFooter(footer)) continue
    footer.writeUInt32BE(0, VHD_TIME_OFFSET)
    footer.set(Buffer.from(uuidFromRandom(random('vhd/uuid', 16)).replaceAll('-', ''), 'hex'), VHD_UUID_OFFSET)
    footer.writeUInt32BE(vhdChecksum(footer), VHD_CHECKSUM_OFFSET)
    await file.write(footer, 0, VHD_FOOTER_SIZE, offset)
  }
}
