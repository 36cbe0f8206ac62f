import type { DiskFormat } from '@c2m/plugin-api'
import type { ExaminedImage } from './examined.js'
import type { ImageFile } from './image-file.js'
import { examineQcow2 } from './qcow2.js'
import { examineVdi } from './vdi.js'
import { examineVhd } from './vhd.js'
import { examineVhdx } from './vhdx.js'
import { examineVmdk } from './vmdk.js'

type Examine = (file: ImageFile) => Promise<ExaminedImage>

const EXAMINERS: Readonly<Record<DiskFormat, Examine>> = {
  // any file is one
  raw: async () => ({ format: 'raw', extents: [], notices: [] }),
  qcow2: examineQcow2,
  vdi: examineVdi,
  vmdk: examineVmdk,
  vhd: examineVhd,
  vhdx: examineVhdx,
}

/**
 * Reads an image's header and tables, and refuses one whose file is shorter than they say: QEMU would read the missing
 * part as zeros.
 * @throws C2M_DISK_FORMAT when it is of another format, C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_UNSUPPORTED,
 *   C2M_DISK_ENCRYPTED, C2M_DISK_REFERENCE, C2M_DISK_TOO_LARGE, C2M_INTERRUPTED
 */
export function examineImage(file: ImageFile, format: DiskFormat): Promise<ExaminedImage> {
  return EXAMINERS[format](file)
}
