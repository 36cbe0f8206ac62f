import type { BlockTarget } from '@c2m/disk'
import type { Rootfs, Timestamp } from '@c2m/plugin-api'
import { C2mError, throwIfAborted } from '@c2m/process'
import { BACKUP_SECTOR, encodeBootSectors } from './boot-sector.js'
import {
  ATTRIBUTE_ARCHIVE,
  ATTRIBUTE_DIRECTORY,
  encodeDots,
  encodeEntry,
  encodeLabel,
  type EntryFields,
} from './directory.js'
import { FAT_COUNT, SECTOR, clusterBytes, clusterOffset, geometryFor, type Geometry } from './geometry.js'
import { allocate, scan, type FatNode } from './tree.js'

export interface Fat32Options {
  /** As blkid prints it: 'XXXX-XXXX'. */
  readonly volumeId: string
  /** Up to 11 characters that an 8.3 name may have, or blanks. */
  readonly label: string
  /** Of the label; default and earliest: 1980-01-01. */
  readonly time?: Timestamp
  /** Sectors of 512 bytes before the partition on its disk. */
  readonly hiddenSectors: number
  readonly signal?: AbortSignal
}

export interface Fat32Result {
  readonly bytesPerCluster: number
  readonly clusters: number
  readonly usedClusters: number
}

const MIB = 1024 * 1024
const END_OF_CHAIN = 0x0fffffff
const MEDIA_ENTRY = 0x0ffffff8
const FAT_CHUNK_ENTRIES = 16 * 1024
const EPOCH: Timestamp = { seconds: 0, nanoseconds: 0 }

/**
 * Writes a tree as a FAT32 file system onto a partition that reads as zeros. Owners, modes and extended attributes have
 * no place there; names of one hard-linked file become files of their own. The same inputs give the same bytes.
 * @throws C2M_FAT_… by path for what FAT cannot hold, C2M_FAT_FULL when the partition is too small, C2M_INTERRUPTED
 */
export async function writeFat32(rootfs: Rootfs, target: BlockTarget, options: Fat32Options): Promise<Fat32Result> {
  const { signal, volumeId, hiddenSectors, time = EPOCH } = options
  const geometry = geometryFor(target.size)
  const label = encodeVolumeLabel(options.label)
  const nodes = await scan(rootfs, signal)
  const bytesPerCluster = clusterBytes(geometry)
  const usedClusters = allocate(nodes, bytesPerCluster)
  if (usedClusters > geometry.clusters) throw full(target.size, usedClusters * bytesPerCluster)

  const boot = encodeBootSectors(geometry, { volumeId, label, hiddenSectors }, { usedClusters })
  await target.write(0, boot)
  await target.write(BACKUP_SECTOR * SECTOR, boot)
  await writeFats(target, geometry, nodes)
  for (const node of nodes) {
    throwIfAborted(signal)
    if (node.clusters === 0) continue
    if (node.isDirectory)
      await target.write(clusterOffset(geometry, node.firstCluster), encodeDirectory(node, label, time))
    else await writeFile(rootfs, target, node, clusterOffset(geometry, node.firstCluster), signal)
  }
  return { bytesPerCluster, clusters: geometry.clusters, usedClusters }
}

/**
 * Bytes of the smallest partition, in whole MiB, that holds a tree, without any free space.
 * @throws as `writeFat32` for what FAT cannot hold
 */
export async function fat32Minimum(rootfs: Rootfs, signal?: AbortSignal): Promise<number> {
  const nodes = await scan(rootfs, signal)
  // the smallest FAT32 there is
  let size = 33 * MIB
  for (;;) {
    const geometry = geometryFor(size)
    const missing = allocate(nodes, clusterBytes(geometry)) - geometry.clusters
    if (missing <= 0) return size
    size += Math.ceil((missing * clusterBytes(geometry)) / MIB) * MIB
  }
}

function encodeVolumeLabel(label: string): Uint8Array {
  if (/^[A-Z0-9$%'\-_@~`!(){}^#& ]{1,11}$/.test(label) && !label.startsWith(' '))
    return Buffer.from(label.padEnd(11), 'latin1')
  throw new C2mError('C2M_FAT_LABEL', `'${label}' cannot be the label of a FAT file system`, {
    hint: 'use 1 to 11 upper-case letters, digits, blanks and dashes',
  })
}

function full(size: number, needed: number): C2mError {
  return new C2mError('C2M_FAT_FULL', `the FAT partition of ${size} bytes is too small for ${needed} bytes of files`, {
    hint: 'make the partition larger',
  })
}

/** Clusters are used one after the other, so the FAT beyond the last one stays zero: free. */
async function writeFats(target: BlockTarget, geometry: Geometry, nodes: readonly FatNode[]): Promise<void> {
  const chunk = Buffer.alloc(FAT_CHUNK_ENTRIES * 4)
  let filled = 0
  let offset = geometry.reservedSectors * SECTOR
  const flush = async () => {
    for (let copy = 0; copy < FAT_COUNT; copy++) {
      await target.write(offset + copy * geometry.fatSectors * SECTOR, chunk.subarray(0, filled))
    }
    offset += filled
    filled = 0
  }
  for (const value of fatEntries(nodes)) {
    filled = chunk.writeUInt32LE(value, filled)
    if (filled === chunk.length) await flush()
  }
  await flush()
}

function* fatEntries(nodes: readonly FatNode[]): Generator<number> {
  yield MEDIA_ENTRY
  // cluster 1 stands for no cluster; its two highest bits say: cleanly unmounted, no errors
  yield END_OF_CHAIN
  for (const { firstCluster, clusters } of nodes) {
    for (let index = 1; index < clusters; index++) yield firstCluster + index
    if (clusters > 0) yield END_OF_CHAIN
  }
}

function encodeDirectory(directory: FatNode, label: Uint8Array, time: Timestamp): Uint8Array {
  const { parent } = directory
  const head =
    parent === undefined
      ? encodeLabel(label, time)
      : encodeDots(fieldsOf(directory), {
          ...fieldsOf(parent),
          cluster: parent.parent === undefined ? 0 : parent.firstCluster,
        })
  const entries = directory.names.flatMap((name, index) => {
    const child = directory.children[index]
    return child === undefined ? [] : [encodeEntry(name, fieldsOf(child))]
  })
  return Buffer.concat([head, ...entries])
}

function fieldsOf({ isDirectory, firstCluster, size, mtime }: FatNode): EntryFields {
  return {
    attributes: isDirectory ? ATTRIBUTE_DIRECTORY : ATTRIBUTE_ARCHIVE,
    cluster: firstCluster,
    size: isDirectory ? 0 : size,
    time: mtime,
  }
}

async function writeFile(
  rootfs: Rootfs,
  target: BlockTarget,
  { path, size }: FatNode,
  start: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { offset, data } of rootfs.stream(path)) {
    throwIfAborted(signal)
    if (offset < 0 || offset + data.length > size) {
      throw new C2mError('C2M_FAT_BODY', `the content of ${path} is longer than its size of ${size} bytes`, {
        hint: 'the source of this file is damaged',
      })
    }
    await target.write(start + offset, data)
  }
}
