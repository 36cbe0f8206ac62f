import { extlinuxError } from './error.js'
import { loadExtents, SECTOR } from './sectors.js'

/** Bytes; the loader of 6.04 has 58 KiB, and more does not fit into the memory below 640 KiB. */
export const MAX_LOADER = 512 * 1024

/** Two sectors at the end of ldlinux.sys: what `extlinux --once` keeps from one boot to the next. */
const ADV_SECTORS = 2

const MAGIC = 0x3eb202fe

/*
 * ldlinux.sys (SYSLINUX: doc/sys-linux format in core/diskstart.inc and libinstaller/syslxint.h), little-endian
 *
 *     patch area, on a 4-byte boundary of the first sector     extended area, ten u16: offsets into ldlinux.sys
 *
 *      0  u32  0x3EB202FE                                       0  of two u64: the ADV sectors
 *      4  u32  instance                                         2  of the directory, NUL-terminated;  4  its room
 *      8  u16  sectors of the boot image                        6  of the subvolume (btrfs);          8  its room
 *     10  u16  ADV sectors                                     10  of the sector list;               12  entries it has room for
 *     12  u32  double words of the boot image                  14  in the boot sector: low 32 bits of the first sector
 *     16  u32  checksum                                        16  in the boot sector: its high 32 bits
 *     20  u16  sectors that the BIOS moves at once             18  in the boot sector: a jump for RAID
 *     22  u16  offset of the extended area
 *
 * An entry of the sector list is u64 LBA, u16 sectors; the rest of the list is zero. All sectors count from the start of
 * the partition. The checksum makes the double words of the boot image add up to the magic number.
 */
const PATCH_AREA = 24
const EXTENDED_AREA = 20
const LIST_ENTRY = 10

export interface LoaderLayout {
  /** Offset of the patch area. */
  readonly patchArea: number
  /** Bytes without the ADV. */
  readonly imageLength: number
  readonly adv: number
  readonly directory: { readonly offset: number; readonly room: number }
  readonly subvolume: { readonly offset: number; readonly room: number }
  readonly list: { readonly offset: number; readonly entries: number }
  /** Where the boot sector has the number of the loader's first sector: low and high 32 bits. */
  readonly firstSector: readonly [low: number, high: number]
}

/** @throws C2M_EXTLINUX_LOADER when `loader` is no ldlinux.sys */
export function layoutOf(loader: Uint8Array): LoaderLayout {
  const { length } = loader
  const imageLength = length - ADV_SECTORS * SECTOR
  if (imageLength < SECTOR || length % SECTOR !== 0)
    throw loaderError(`has ${length} bytes, not ${ADV_SECTORS + 1} or more whole sectors`)
  if (length > MAX_LOADER) throw loaderError(`has ${length} bytes, more than the ${MAX_LOADER} that can be loaded`)
  const view = viewOf(loader)
  const patchArea = findMagic(view)
  const inside = (offset: number, size: number, what: string) => {
    if (offset + size <= imageLength) return offset
    throw loaderError(`has its ${what} at ${offset}, beyond its ${imageLength} bytes`)
  }
  const extended = inside(view.getUint16(patchArea + 22, true), EXTENDED_AREA, 'extended patch area')
  const field = (index: number) => view.getUint16(extended + index * 2, true)
  const [directoryRoom, subvolumeRoom, entries] = [field(2), field(4), field(6)]
  const layout = {
    patchArea,
    imageLength,
    adv: inside(field(0), ADV_SECTORS * 8, 'ADV pointers'),
    directory: { offset: inside(field(1), directoryRoom, 'directory'), room: directoryRoom },
    subvolume: { offset: inside(field(3), subvolumeRoom, 'subvolume'), room: subvolumeRoom },
    list: { offset: inside(field(5), entries * LIST_ENTRY, 'sector list'), entries },
    firstSector: [field(7), field(8)],
  } as const
  requireDisjoint(layout, extended)
  return layout
}

/**
 * ldlinux.sys as it has to stand on the disk.
 *
 * @param sectors of the file, counted from the start of its partition: see `sectorsOf`
 * @param directory that holds it, from the top of its file system
 * @throws C2M_EXTLINUX_LOADER, C2M_EXTLINUX_SCATTERED, C2M_EXTLINUX_DIRECTORY
 */
export function patchLoader(loader: Uint8Array, sectors: readonly number[], directory: string): Uint8Array {
  const layout = layoutOf(loader)
  const imageSectors = layout.imageLength / SECTOR
  if (sectors.length !== loader.length / SECTOR) {
    throw loaderError(`has ${loader.length / SECTOR} sectors, but ${sectors.length} are known on the disk`)
  }
  // not slice(): a Buffer's would share its memory
  const bytes = Uint8Array.from(loader)
  const view = viewOf(bytes)
  writeDirectory(bytes, layout, directory)
  writeSectorList(bytes, layout, sectors.slice(1, imageSectors))
  sectors
    .slice(imageSectors)
    .forEach((sector, index) => view.setBigUint64(layout.adv + index * 8, BigInt(sector), true))
  const { patchArea } = layout
  view.setUint16(patchArea + 8, imageSectors, true)
  view.setUint16(patchArea + 10, ADV_SECTORS, true)
  view.setUint32(patchArea + 12, layout.imageLength / 4, true)
  view.setUint32(patchArea + 16, 0, true)
  view.setUint32(patchArea + 16, checksum(view, layout.imageLength), true)
  return bytes
}

function writeDirectory(
  bytes: Uint8Array,
  { directory: { offset, room }, subvolume }: LoaderLayout,
  path: string,
): void {
  const name = new TextEncoder().encode(path)
  if (name.length >= room || name.includes(0)) {
    throw extlinuxError(
      'C2M_EXTLINUX_DIRECTORY',
      `EXTLINUX cannot remember the directory ${JSON.stringify(path)}: it has room for ${room - 1} bytes`,
      'put /boot on a file system of its own, or on the root',
    )
  }
  bytes.fill(0, offset, offset + room)
  bytes.set(name, offset)
  bytes.fill(0, subvolume.offset, subvolume.offset + subvolume.room)
}

function writeSectorList(bytes: Uint8Array, { list }: LoaderLayout, sectors: readonly number[]): void {
  const extents = loadExtents(sectors)
  if (extents.length > list.entries) {
    throw extlinuxError(
      'C2M_EXTLINUX_SCATTERED',
      `ldlinux.sys lies in ${extents.length} pieces on the disk, and EXTLINUX can remember ${list.entries}`,
      'give the disk a larger --size',
    )
  }
  bytes.fill(0, list.offset, list.offset + list.entries * LIST_ENTRY)
  const view = viewOf(bytes)
  extents.forEach(({ lba, length }, index) => {
    view.setBigUint64(list.offset + index * LIST_ENTRY, BigInt(lba), true)
    view.setUint16(list.offset + index * LIST_ENTRY + 8, length, true)
  })
}

/** What has to stand in the checksum field, which is zero now. */
function checksum(view: DataView, length: number): number {
  let sum = MAGIC
  for (let offset = 0; offset < length; offset += 4) sum = (sum - view.getUint32(offset, true)) >>> 0
  return sum
}

function findMagic(view: DataView): number {
  for (let offset = 0; offset + PATCH_AREA <= SECTOR; offset += 4) {
    if (view.getUint32(offset, true) === MAGIC) return offset
  }
  throw loaderError('has no patch area in its first sector')
}

/** What is written must not destroy what is read later. */
function requireDisjoint({ patchArea, adv, directory, subvolume, list }: LoaderLayout, extended: number): void {
  const areas = [
    [patchArea, PATCH_AREA],
    [extended, EXTENDED_AREA],
    [adv, ADV_SECTORS * 8],
    [directory.offset, directory.room],
    [subvolume.offset, subvolume.room],
    [list.offset, list.entries * LIST_ENTRY],
  ] as const
  const sorted = areas.filter(([, size]) => size > 0).sort(([a], [b]) => a - b)
  sorted.forEach(([offset], index) => {
    const [before, size] = sorted[index - 1] ?? [0, 0]
    if (offset < before + size) throw loaderError(`has patch areas that overlap at ${offset}`)
  })
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function loaderError(because: string): Error {
  return extlinuxError(
    'C2M_EXTLINUX_LOADER',
    `ldlinux.sys is not EXTLINUX's, or of an unknown version: it ${because}`,
    REINSTALL,
  )
}

export const REINSTALL = 'reinstall the packages of syslinux: in the machine with --refresh, or on this host'
