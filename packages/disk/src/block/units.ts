/** Bytes of a sector as partition tables of the disks that c2m makes count them. */
export const SECTOR = 512

/** Partitions begin and end on multiples of this: what every partitioning tool of today does. */
export const ALIGNMENT = 1024 * 1024

export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

export function alignDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit
}
