import { C2mError } from '@c2m/process'
import type { BackingReference, ExaminedImage } from './examined.js'
import type { ImageFile } from './image-file.js'
import { parseVmdkDescriptor, type VmdkDescriptor } from './vmdk-descriptor.js'
import { examineVmdkExtent, isVmdkExtent } from './vmdk-extent.js'

const DESCRIPTOR_START = '# Disk DescriptorFile'
const MAX_DESCRIPTOR = 1024 * 1024

/**
 * A VMDK in one file, or the text that names its extents.
 * @throws C2M_DISK_FORMAT when it is none, C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_UNSUPPORTED, C2M_DISK_TOO_LARGE
 */
export async function examineVmdk(file: ImageFile): Promise<ExaminedImage> {
  const start = await file.read(0, Math.min(file.size, DESCRIPTOR_START.length), 'its header')
  if (isVmdkExtent(start)) return examineSingle(file)
  if (start.toString('latin1', 0, 4) === 'COWD') {
    throw file.unsupported('is a VMFS sparse VMDK, which cannot be read', 'convert it in VMware: vmkfstools -i')
  }
  if (start.toString('latin1') === DESCRIPTOR_START) return examineText(file)
  throw new C2mError('C2M_DISK_FORMAT', `${file.path} is not a VMDK`, { hint: 'leave the format to be found' })
}

async function examineSingle(file: ImageFile): Promise<ExaminedImage> {
  const header = await examineVmdkExtent(file)
  const place = header.descriptor
  if (place === undefined) {
    throw file.unsupported('is one extent of a VMDK', 'name the small text file that lists the extents')
  }
  const descriptor = parseVmdkDescriptor(file, await file.read(place.offset, place.length, 'its descriptor'))
  return {
    format: 'vmdk',
    variant: descriptor.createType ?? (header.compressed ? 'streamOptimized' : 'monolithicSparse'),
    ...backingOf(descriptor),
    // the one that it lists is itself
    extents: [],
    notices: [],
  }
}

async function examineText(file: ImageFile): Promise<ExaminedImage> {
  if (file.size > MAX_DESCRIPTOR) throw file.damaged(`its descriptor has ${file.size} bytes`)
  const descriptor = parseVmdkDescriptor(file, await file.read(0, file.size, 'its descriptor'))
  if (descriptor.extents.length === 0) throw file.damaged('it lists no extents')
  file.checkDiskSize(descriptor.extents.reduce((sum, { size }) => sum + size, 0))
  return {
    format: 'vmdk',
    ...(descriptor.createType === undefined ? {} : { variant: descriptor.createType }),
    ...backingOf(descriptor),
    extents: descriptor.extents,
    notices: [],
  }
}

function backingOf({ parent }: VmdkDescriptor): { backing?: BackingReference } {
  return parent === undefined ? {} : { backing: { name: parent, format: 'vmdk' } }
}
