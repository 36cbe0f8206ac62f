import { C2mError } from '@c2m/process'

/**
 * FAT32 (Microsoft, "FAT: General Overview of On-Disk Format", version 1.03).
 *
 *     | boot sectors 0–2 | copy 6–8 | … reserved | FAT | FAT again | cluster 2 (root), 3, 4 … |
 */
export interface Geometry {
  /** Sectors of the file system. */
  readonly sectors: number
  readonly sectorsPerCluster: number
  /** Sectors before the first FAT. */
  readonly reservedSectors: number
  /** Sectors of one FAT. */
  readonly fatSectors: number
  /** Clusters for data; they are numbered from 2. */
  readonly clusters: number
  /** Sector of cluster 2. */
  readonly firstDataSector: number
}

export const SECTOR = 512
export const FAT_COUNT = 2
export const ROOT_CLUSTER = 2
/** With fewer clusters it would be a FAT16, whatever its boot sector says. */
const MIN_CLUSTERS = 65525
const ENTRIES_PER_SECTOR = SECTOR / 4
const MIN_RESERVED = 32
/** Clusters begin on multiples of 4 KiB of the partition, as disks and their hosts store them. */
const DATA_ALIGNMENT = 8
const MAX_SECTORS = 0xffffffff

const GIB = 1024 * 1024 * 1024

/** Largest file system in bytes for each cluster size in sectors (the specification's table for FAT32). */
const CLUSTER_SIZES: readonly (readonly [maxBytes: number, sectorsPerCluster: number])[] = [
  [260 * 1024 * 1024, 1],
  [8 * GIB, 8],
  [16 * GIB, 16],
  [32 * GIB, 32],
  [Number.POSITIVE_INFINITY, 64],
]

/** The layout for a partition of `size` bytes. @throws C2M_FAT_SIZE when FAT32 cannot have that size */
export function geometryFor(size: number): Geometry {
  const sectors = Math.floor(size / SECTOR)
  const sectorsPerCluster = CLUSTER_SIZES.find(([max]) => size <= max)?.[1] ?? 64
  const fatSectors = sectorsOfFat(sectors, sectorsPerCluster)
  const alignment = Math.max(DATA_ALIGNMENT, sectorsPerCluster)
  const firstDataSector = Math.ceil((MIN_RESERVED + FAT_COUNT * fatSectors) / alignment) * alignment
  const clusters = Math.floor((sectors - firstDataSector) / sectorsPerCluster)
  if (clusters < MIN_CLUSTERS || sectors > MAX_SECTORS) {
    throw new C2mError('C2M_FAT_SIZE', `a FAT32 file system cannot have ${size} bytes`, {
      hint: 'choose a size from 33 MiB to 2 TiB',
    })
  }
  return {
    sectors,
    sectorsPerCluster,
    reservedSectors: firstDataSector - FAT_COUNT * fatSectors,
    fatSectors,
    clusters,
    firstDataSector,
  }
}

/**
 * The smallest FAT that has an entry for every cluster that is left beside it, and for the two numbers that stand for
 * no cluster: with n clusters, n · spc + 2 · fat ≤ available and n + 2 ≤ 128 · fat.
 */
function sectorsOfFat(sectors: number, sectorsPerCluster: number): number {
  const available = Math.max(0, sectors - MIN_RESERVED)
  return Math.ceil((available + 2 * sectorsPerCluster) / (ENTRIES_PER_SECTOR * sectorsPerCluster + FAT_COUNT))
}

/** Byte offset of a cluster in the file system. */
export function clusterOffset(geometry: Geometry, cluster: number): number {
  return (geometry.firstDataSector + (cluster - ROOT_CLUSTER) * geometry.sectorsPerCluster) * SECTOR
}

export function clusterBytes(geometry: Geometry): number {
  return geometry.sectorsPerCluster * SECTOR
}
