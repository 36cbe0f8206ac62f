import type { SniffedDisk } from './sniffed-disk.js'

const SECTOR = 512
const DESCRIPTOR_START = '# Disk DescriptorFile'
const MAX_DESCRIPTOR = 64 * 1024

/**
 * VMDK (VMware, Virtual Disk Format 5.0). Either a text descriptor that names extent files, or an extent with the
 * descriptor inside:
 *
 *      0 "KDMV"               28 u64 sector of the descriptor
 *      4 u32 version          36 u64 its sectors
 *
 * ESX's older extents begin with "COWD".
 */
export function sniffVmdk(head: Buffer): SniffedDisk | undefined {
  if (head.toString('latin1', 0, DESCRIPTOR_START.length) === DESCRIPTOR_START) {
    const text = head.toString('utf8', 0, Math.min(head.length, MAX_DESCRIPTOR))
    return { format: 'vmdk', ...variantOf(text), refersTo: [...extentFiles(text), ...parentOf(text)] }
  }
  const magic = head.toString('latin1', 0, 4)
  if (magic === 'COWD') return { format: 'vmdk', variant: 'vmfsSparse', refersTo: [] }
  if (magic !== 'KDMV' || head.length < SECTOR) return undefined
  const text = embeddedDescriptor(head)
  return { format: 'vmdk', ...variantOf(text), refersTo: parentOf(text) }
}

function embeddedDescriptor(head: Buffer): string {
  const start = Number(head.readBigUInt64LE(28)) * SECTOR
  const end = Math.min(start + Number(head.readBigUInt64LE(36)) * SECTOR, head.length)
  return start < end ? (head.toString('utf8', start, end).split('\0')[0] ?? '') : ''
}

function variantOf(descriptor: string): { variant?: string } {
  const variant = /^[ \t]*createType[ \t]*=[ \t]*"([A-Za-z0-9]{1,64})"/m.exec(descriptor)?.[1]
  return variant === undefined ? {} : { variant }
}

/** Extent lines: access, sectors, type, "file name", offset. */
function extentFiles(descriptor: string): string[] {
  return [...descriptor.matchAll(/^[ \t]*(?:RW|RDONLY|NOACCESS)[ \t]+\d+[ \t]+\S+[ \t]+"([^"\n]*)"/gm)].flatMap(
    (line) => line[1] ?? [],
  )
}

function parentOf(descriptor: string): string[] {
  const parent = /^[ \t]*parentFileNameHint[ \t]*=[ \t]*"([^"\n]*)"/m.exec(descriptor)?.[1]
  return parent === undefined ? [] : [parent]
}
