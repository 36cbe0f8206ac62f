import { C2mError } from '@c2m/process'
import type { BackingReference, ExaminedImage } from './examined.js'
import type { ImageFile } from './image-file.js'

/**
 * qcow2 (QEMU, docs/interop/qcow2.txt), big-endian:
 *
 *      0 "QFI" 0xFB                32 u32 encryption             60 u32 number of snapshots
 *      4 u32 version 2, 3          36 u32 number of L1 entries   72 u64 incompatible features (version 3)
 *      8 u64 backing file name     40 u64 L1 table              100 u32 header length (version 3)
 *     16 u32 its length            48 u64 refcount table        104 u8 compression
 *     20 u32 cluster bits          56 u32 its clusters          then extensions: u32 type, u32 length, data
 *     24 u64 disk size
 *
 * L1 entry: bits 9–55 offset of an L2 table. L2 entry: bit 62 compressed, bit 0 reads as zeros, bits 9–55 offset of a
 * cluster; compressed: bits 0–x offset, above it up to bit 61 the number of further 512-byte sectors, where
 * x = 61 − (cluster bits − 8). With extended L2 entries, 64 bits for subclusters follow each.
 */
const HEADER_V2 = 72
const HEADER_V3 = 104
const SECTOR = 512
const MAX_NAME = 1023
/** QEMU's limits. */
const MAX_L1_BYTES = 32 * 1024 * 1024
const MAX_REFCOUNT_TABLE = 8 * 1024 * 1024
const MAX_EXTENSIONS = 64
const BACKING_FORMAT = 0xe2792aca

const Feature = { dirty: 1, corrupt: 2, externalData: 4, compressionType: 8, extendedL2: 16 } as const
const KNOWN_FEATURES = 31

interface Header {
  readonly clusterSize: number
  readonly clusterBits: number
  readonly diskSize: number
  readonly l1Entries: number
  readonly l1Offset: number
  readonly refcountOffset: number
  readonly refcountClusters: number
  readonly extendedL2: boolean
}

/**
 * @throws C2M_DISK_FORMAT when it is none, C2M_DISK_TRUNCATED, C2M_DISK_DAMAGED, C2M_DISK_ENCRYPTED,
 *   C2M_DISK_UNSUPPORTED, C2M_DISK_TOO_LARGE
 */
export async function examineQcow2(file: ImageFile): Promise<ExaminedImage> {
  const bytes = await file.read(0, Math.min(file.size, HEADER_V3), 'its header')
  if (bytes.length < HEADER_V2 || bytes.readUInt32BE(0) !== 0x514649fb) throw notQcow2(file)
  const version = bytes.readUInt32BE(4)
  if (version !== 2 && version !== 3) {
    throw file.unsupported(`is a qcow image of version ${version}`, 'convert it: qemu-img convert -f qcow -O qcow2')
  }
  if (version === 3) file.mustHold(0, HEADER_V3, 'its header')
  const features = version === 3 ? checkFeatures(file, bytes) : 0
  if (bytes.readUInt32BE(32) !== 0) throw encrypted(file)
  const header = readHeader(file, bytes, features)
  const backing = await readBacking(file, bytes, version)
  await checkRefcounts(file, header)
  await checkClusters(file, header)
  return {
    format: 'qcow2',
    extents: [],
    ...(backing === undefined ? {} : { backing }),
    notices: noticesOf(file, features, bytes.readUInt32BE(60)),
  }
}

function notQcow2(file: ImageFile): C2mError {
  return new C2mError('C2M_DISK_FORMAT', `${file.path} is not a qcow2 image`, { hint: 'leave the format to be found' })
}

function encrypted(file: ImageFile): C2mError {
  return new C2mError('C2M_DISK_ENCRYPTED', `${file.path} is an encrypted qcow2 image`, {
    hint: 'decrypt a copy first: qemu-img convert with --object secret and --image-opts',
  })
}

/** @returns the incompatible features' low half */
function checkFeatures(file: ImageFile, bytes: Buffer): number {
  const features = bytes.readUInt32BE(76)
  if (bytes.readUInt32BE(72) !== 0 || (features & ~KNOWN_FEATURES) !== 0) {
    throw file.unsupported('uses qcow2 features that are not known', 'convert it with a newer qemu-img')
  }
  if ((features & Feature.corrupt) !== 0) {
    throw file.damaged('QEMU marked it as corrupt', 'repair a copy of it: qemu-img check -r all')
  }
  if ((features & Feature.externalData) !== 0) {
    throw new C2mError('C2M_DISK_REFERENCE', `${file.path} keeps its data in another file, which is refused`, {
      hint: 'if you trust the image, make one file of it: qemu-img convert -O qcow2',
    })
  }
  return features
}

function readHeader(file: ImageFile, bytes: Buffer, features: number): Header {
  const clusterBits = bytes.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21) throw file.damaged(`its clusters have 2^${clusterBits} bytes`)
  const diskSize = Number(bytes.readBigUInt64BE(24))
  file.checkDiskSize(diskSize)
  const clusterSize = 2 ** clusterBits
  const extendedL2 = (features & Feature.extendedL2) !== 0
  const perTable = clusterSize / (extendedL2 ? 16 : 8)
  const l1Entries = bytes.readUInt32BE(36)
  const needed = Math.ceil(diskSize / (clusterSize * perTable))
  if (l1Entries * 8 > MAX_L1_BYTES || l1Entries < needed) {
    throw file.damaged(`its first table has ${l1Entries} entries where ${needed} are needed`)
  }
  const l1Offset = Number(bytes.readBigUInt64BE(40))
  const refcountOffset = Number(bytes.readBigUInt64BE(48))
  if (l1Offset % clusterSize !== 0 || refcountOffset % clusterSize !== 0) throw file.damaged('a table is misplaced')
  return {
    ...{ clusterSize, clusterBits, diskSize, l1Offset, refcountOffset, extendedL2 },
    // further ones belong to no cluster of the disk
    l1Entries: needed,
    refcountClusters: bytes.readUInt32BE(56),
  }
}

async function readBacking(file: ImageFile, bytes: Buffer, version: number): Promise<BackingReference | undefined> {
  const offset = Number(bytes.readBigUInt64BE(8))
  if (offset === 0) return undefined
  const length = bytes.readUInt32BE(16)
  if (length === 0 || length > MAX_NAME) throw file.damaged(`the name of its backing file has ${length} bytes`)
  const name = (await file.read(offset, length, "its backing file's name")).toString('utf8')
  const format = await readBackingFormat(file, version === 3 ? bytes.readUInt32BE(100) : HEADER_V2, offset)
  return { name, ...(format === undefined ? {} : { format }) }
}

/** @param start of the header extensions @param end where they must have ended */
async function readBackingFormat(file: ImageFile, start: number, end: number): Promise<string | undefined> {
  let at = start
  for (let count = 0; count < MAX_EXTENSIONS && at + 8 <= Math.min(end, file.size); count++) {
    const head = await file.read(at, 8, 'a header extension')
    const length = head.readUInt32BE(4)
    if (head.readUInt32BE(0) === 0) return undefined
    if (head.readUInt32BE(0) === BACKING_FORMAT) {
      if (length > MAX_NAME) throw file.damaged(`the format of its backing file has ${length} bytes`)
      return (await file.read(at + 8, length, "its backing file's format")).toString('utf8')
    }
    at += 8 + Math.ceil(length / 8) * 8
  }
  return undefined
}

/** Blocks of reference counts are not needed for reading; one that lies behind the end tells that the file was cut. */
async function checkRefcounts(file: ImageFile, header: Header): Promise<void> {
  const length = header.refcountClusters * header.clusterSize
  if (length > MAX_REFCOUNT_TABLE) throw file.damaged(`its table of reference counts has ${length} bytes`)
  for await (const piece of file.readTable(header.refcountOffset, length / 8, 8, 'the table of reference counts')) {
    for (let at = 0; at < piece.length; at += 8) {
      const offset = piece.readUInt32BE(at) * 2 ** 32 + piece.readUInt32BE(at + 4)
      if (offset !== 0) file.mustHold(offset, 1, 'a block of reference counts')
    }
  }
}

async function checkClusters(file: ImageFile, header: Header): Promise<void> {
  const seen = new Set<number>()
  const { clusterSize } = header
  const perTable = clusterSize / (header.extendedL2 ? 16 : 8)
  let table = 0
  for await (const piece of file.readTable(header.l1Offset, header.l1Entries, 8, 'the first table of clusters')) {
    for (let at = 0; at < piece.length; at += 8, table++) {
      const offset = readOffset(piece, at)
      if (offset === 0 || seen.has(offset)) continue
      if (offset % clusterSize !== 0) throw file.damaged('a table of clusters is misplaced')
      seen.add(offset)
      const used = Math.min(perTable, Math.ceil(header.diskSize / clusterSize) - table * perTable)
      await checkTable(file, header, offset, { first: table * perTable, used })
    }
  }
}

async function checkTable(
  file: ImageFile,
  header: Header,
  offset: number,
  { first, used }: { first: number; used: number },
): Promise<void> {
  const { clusterSize, clusterBits, diskSize } = header
  const entrySize = header.extendedL2 ? 16 : 8
  file.mustHold(offset, clusterSize, 'a table of clusters')
  const sectorsShift = 2 ** (62 - (clusterBits - 8))
  let cluster = first
  for await (const piece of file.readTable(offset, used, entrySize, 'a table of clusters')) {
    for (let at = 0; at < piece.length; at += entrySize, cluster++) {
      const high = piece.readUInt32BE(at)
      const low = piece.readUInt32BE(at + 4)
      if (high === 0 && low === 0) continue
      if ((high & 0x40000000) !== 0) {
        const value = (high & 0x3fffffff) * 2 ** 32 + low
        const start = value % sectorsShift
        const sectors = Math.floor(value / sectorsShift) + 1
        // the last sector may be cut where the compressed data ends
        file.mustHold(start - (start % SECTOR), (sectors - 1) * SECTOR + 1, 'a compressed cluster')
      } else {
        const start = readOffset(piece, at)
        if (start === 0 || (!header.extendedL2 && (low & 1) !== 0)) continue
        // of the disk's last cluster, only what the disk has need be there
        const length = Math.min(clusterSize, diskSize - cluster * clusterSize)
        file.mustHold(start, length, `cluster ${cluster}`)
      }
    }
  }
}

/** Bits 9 to 55. */
function readOffset(table: Buffer, at: number): number {
  return (table.readUInt32BE(at) & 0xffffff) * 2 ** 32 + ((table.readUInt32BE(at + 4) & 0xfffffe00) >>> 0)
}

function noticesOf(file: ImageFile, features: number, snapshots: number): string[] {
  const notices: string[] = []
  if ((features & Feature.dirty) !== 0)
    notices.push(`${file.path} was not closed cleanly; its contents are still whole`)
  if (snapshots > 0) notices.push(`${file.path} has ${snapshots} snapshots inside; its current state is read`)
  return notices
}
