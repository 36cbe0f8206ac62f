import type { ExtentReference } from './examined.js'
import type { ImageFile } from './image-file.js'

/**
 * VMDK descriptor (VMware, Virtual Disk Format 5.0, "The Descriptor File"): lines `key = value`, and one for each extent:
 *
 *     RW 4192256 SPARSE "disk-s001.vmdk"
 *     RW 4192256 FLAT "disk-f001.vmdk" 0
 *
 * QEMU reads only such lines and skips others (RDONLY, ZERO), which would move all that comes behind: they are refused.
 */
export interface VmdkDescriptor {
  readonly createType?: string
  /** File name of the disk that this one is a difference to. */
  readonly parent?: string
  readonly extents: readonly ExtentReference[]
}

const SECTOR = 512
const MAX_EXTENTS = 4096
const NO_PARENT = 'ffffffff'
/** Lines that QEMU could take for an extent begin with one of these; each must then be one that is fully understood. */
const EXTENT_START = /^\s*(RW|RDONLY|NOACCESS)\b/i
const EXTENT = /^\s*RW\s+([1-9]\d{0,11})\s+(FLAT|VMFS|SPARSE)\s+"([^"]{1,511})"(?:\s+(\d{1,12}))?\s*$/
/** Kinds whose extents are not understood here. */
const UNSUPPORTED = /^(seSparse|vmfsSparse|vmfsRaw.*|vmfsRDM.*|vmfsPassthrough.*|fullDevice|partitionedDevice)$/i

/**
 * Reads a descriptor up to its first NUL, as QEMU does.
 * @throws C2M_DISK_UNSUPPORTED, C2M_DISK_DAMAGED
 */
export function parseVmdkDescriptor(file: ImageFile, bytes: Buffer): VmdkDescriptor {
  const end = bytes.indexOf(0)
  const text = bytes.toString('utf8', 0, end === -1 ? bytes.length : end)
  const lines = text.split(/\r?\n/)
  const createType = valueOf(lines, 'createType')
  if (createType !== undefined && UNSUPPORTED.test(createType)) {
    throw file.unsupported(
      `is a VMDK of type ${createType}, which cannot be read`,
      'convert it in VMware: vmkfstools -i DISK -d thin NEW, or vmware-vdiskmanager -r DISK -t 0 NEW',
    )
  }
  const parent =
    (valueOf(lines, 'parentCID') ?? NO_PARENT).toLowerCase() === NO_PARENT ? undefined : parentOf(file, lines)
  const extents = lines.flatMap((line) => parseExtent(file, line))
  if (extents.length > MAX_EXTENTS) throw file.damaged(`it has ${extents.length} extents`)
  return {
    ...(createType === undefined ? {} : { createType }),
    ...(parent === undefined ? {} : { parent }),
    extents,
  }
}

function parseExtent(file: ImageFile, line: string): ExtentReference[] {
  if (!EXTENT_START.test(line)) return []
  const match = EXTENT.exec(line)
  if (match === null) {
    throw file.unsupported(
      `has an extent that cannot be read: ${JSON.stringify(line.slice(0, 200))}`,
      'convert the disk in VMware',
    )
  }
  const [, sectors, type, name = '', offset = '0'] = match
  const kind = type === 'SPARSE' ? 'sparse' : 'flat'
  return [{ name, kind, size: Number(sectors) * SECTOR, offset: Number(offset) * SECTOR }]
}

function parentOf(file: ImageFile, lines: readonly string[]): string {
  const parent = valueOf(lines, 'parentFileNameHint')
  if (parent === undefined || parent === '') throw file.damaged('it has a parent, but does not name it')
  return parent
}

/** Of the first line that is `key = value`, the value perhaps in quotes. */
function valueOf(lines: readonly string[], key: string): string | undefined {
  for (const line of lines) {
    const equals = line.indexOf('=')
    if (equals < 0 || line.slice(0, equals).trim() !== key) continue
    const value = line
      .slice(equals + 1)
      .trim()
      .replace(/^"/, '')
      .replace(/"$/, '')
    if (!value.includes('"')) return value
  }
  return undefined
}
