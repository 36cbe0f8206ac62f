/** Where `loaderImage` has its areas. */
export const AREAS = {
  patchArea: 24,
  extended: 64,
  list: 96,
  entries: 8,
  directory: 256,
  directoryRoom: 32,
  subvolume: 288,
  subvolumeRoom: 16,
  adv: 304,
} as const

/** An ldlinux.sys in shape: every other byte is 0x11, its ADV 0x22. */
export function loaderImage(imageSectors = 4, change: (view: DataView) => void = () => undefined): Uint8Array {
  const image = new Uint8Array((imageSectors + 2) * 512)
    .fill(0x11, 0, imageSectors * 512)
    .fill(0x22, imageSectors * 512)
  const view = new DataView(image.buffer)
  view.setUint32(AREAS.patchArea, 0x3eb202fe, true)
  view.setUint16(AREAS.patchArea + 22, AREAS.extended, true)
  const fields = [
    ...[AREAS.adv, AREAS.directory, AREAS.directoryRoom, AREAS.subvolume, AREAS.subvolumeRoom],
    ...[AREAS.list, AREAS.entries, 0x11a, 0x120, 0x1ca],
  ]
  fields.forEach((value, index) => view.setUint16(AREAS.extended + index * 2, value, true))
  change(view)
  return image
}

/** The double words of the boot image, added up. */
export function imageSum(loader: Uint8Array): number {
  const view = new DataView(loader.buffer, loader.byteOffset, loader.length)
  let sum = 0
  for (let offset = 0; offset < loader.length - 1024; offset += 4) sum = (sum + view.getUint32(offset, true)) >>> 0
  return sum
}

/** The sectors that a loader's list names. */
export function listedSectors(loader: Uint8Array, offset: number, entries: number): number[] {
  const view = new DataView(loader.buffer, loader.byteOffset, loader.length)
  return Array.from({ length: entries }, (_, index) => offset + index * 10).flatMap((at) =>
    Array.from({ length: view.getUint16(at + 8, true) }, (_, more) => Number(view.getBigUint64(at, true)) + more),
  )
}
