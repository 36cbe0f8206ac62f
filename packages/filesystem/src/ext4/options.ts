import type { Timestamp } from '@c2m/plugin-api'
import { checksumSeed, type ChecksumRules } from './checksum.js'
import { optionError } from './errors.js'
import { writableFeatures } from './features.js'
import { isStorableTime } from './timestamp.js'
import { parseUuid } from './uuid.js'

export interface Ext4Options {
  readonly uuid: string
  /** At most 16 bytes of UTF-8. */
  readonly label?: string
  /** Names as mke2fs -O takes them, all of them: nothing is on by itself. */
  readonly features: readonly string[]
  /** When the file system is made: in the superblock and lost+found, and every entry's ctime and crtime. */
  readonly time: Timestamp
  /** A UUID; the key of the hash in indexed directories. */
  readonly hashSeed: string
  /** Where it will be mounted, e.g. '/'. */
  readonly mountpointHint?: string
  /** Part of the blocks that only root may fill, in percent; default 5, as mke2fs has it. */
  readonly reservedPercent?: number
  /** Files whose extents the report gives. */
  readonly locate?: readonly string[]
  readonly signal?: AbortSignal
  /** Called with the bytes of each write. */
  onProgress?(bytes: number): void
}

/** Options that were checked. */
export interface Settings {
  readonly features: ReadonlySet<string>
  readonly uuid: Buffer
  readonly hashSeed: Buffer
  readonly label: Buffer
  readonly lastMounted: Buffer
  readonly time: Timestamp
  readonly reservedPercent: number
  readonly checksums: ChecksumRules
}

const MAX_LABEL = 16
const MAX_MOUNTPOINT = 63
const MAX_RESERVED = 50

/** @throws C2M_EXT4_OPTION */
export function checkOptions(options: Ext4Options): Settings {
  const features = writableFeatures(options.features)
  const uuid = parseUuid(options.uuid, 'the file system UUID')
  const label = Buffer.from(options.label ?? '')
  if (label.length > MAX_LABEL || label.includes(0)) {
    throw optionError(
      `the ext4 label ${JSON.stringify(options.label)} is longer than ${MAX_LABEL} bytes`,
      'give a shorter one',
    )
  }
  const reservedPercent = options.reservedPercent ?? 5
  if (!(reservedPercent >= 0 && reservedPercent <= MAX_RESERVED)) {
    throw optionError(`${reservedPercent} percent reserved for root is not possible`, `give 0 to ${MAX_RESERVED}`)
  }
  if (!isStorableTime(options.time)) {
    throw optionError(`ext4 cannot hold the time ${options.time.seconds}`, 'give seconds since 1970, from 1901 to 2446')
  }
  const kind = features.has('metadata_csum') ? 'crc32c' : features.has('uninit_bg') ? 'crc16' : 'none'
  return {
    features,
    uuid,
    hashSeed: parseUuid(options.hashSeed, 'the directory hash seed'),
    label,
    lastMounted: Buffer.from(options.mountpointHint ?? '').subarray(0, MAX_MOUNTPOINT),
    time: options.time,
    reservedPercent,
    checksums: { kind, seed: checksumSeed(uuid), uuid },
  }
}

/** The seed for structures that carry a checksum with metadata_csum only; undefined without it. */
export function metadataSeed({ checksums }: Settings): number | undefined {
  return checksums.kind === 'crc32c' ? checksums.seed : undefined
}
