import { parseFstab, type FstabEntry } from '@c2m/linux'
import type { Volume } from './volume.js'

/** Paths of block devices that name a partition by its disk and number: sda1, vdb2, nvme0n1p3, mmcblk0p1. */
const BY_POSITION =
  /^\/dev\/(?:(?<prefix>[shvx]v?d)(?<letter>[a-z])|(?:nvme|mmcblk)(?<disk>\d+)(?:n\d+)?p)(?<number>\d+)$/

/**
 * The volume that a source of fstab(5) or a user's words mean: 'UUID=…', 'LABEL=…', 'PARTUUID=…', 'PARTLABEL=…', the links
 * below /dev/disk, a device's own path, or the position of a partition on the first disk; a bare number is a partition's.
 * Undefined when none is meant, or one of another disk.
 */
export function findVolume(volumes: readonly Volume[], source: string): Volume | undefined {
  const [, tag, value] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.+)$/.exec(asTag(source)) ?? []
  if (tag !== undefined && value !== undefined) return volumes.find((volume) => hasTag(volume, tag, value))
  const named = volumes.find((volume) => volume.name === source || volume.devices?.includes(source) === true)
  if (named !== undefined) return named
  const number = /^\d+$/.test(source) ? Number(source) : numberOnFirstDisk(source)
  return number === undefined ? undefined : volumes.find(({ partition }) => partition?.number === number)
}

/**
 * The volume that an entry of fstab(5) mounts; of btrfs, the subvolume that its options name.
 * @param crypttab of the same machine: what it opens is known by the names there
 */
export function findMounted(
  volumes: readonly Volume[],
  { source, options }: Pick<FstabEntry, 'source' | 'options'>,
  crypttab: readonly CrypttabEntry[] = [],
): Volume | undefined {
  const opened = crypttab.find(({ name }) => source === `/dev/mapper/${name}`)
  const container = opened && findVolume(volumes, opened.source)
  const volume = container ? volumes.find((one) => one.container === container) : findVolume(volumes, source)
  const named = options
    .find((option) => option.startsWith('subvol='))
    ?.slice('subvol='.length)
    .replace(/^\/+|(?<!\/)\/+$/g, '')
  if (volume?.subvolume === undefined || named === undefined) return volume
  return volumes.find(({ filesystem, subvolume }) => filesystem === volume.filesystem && subvolume === named)
}

/** A line of crypttab(5). */
export interface CrypttabEntry {
  /** Of the opened volume below /dev/mapper. */
  readonly name: string
  readonly source: string
}

export function parseCrypttab(text: string): CrypttabEntry[] {
  // the first two fields are written as in fstab(5)
  return parseFstab(text).map(({ source: name, target: source }) => ({ name, source }))
}

/** /dev/disk/by-uuid/X → UUID=X */
function asTag(source: string): string {
  const [, kind, value] = /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel)\/(.+)$/.exec(source) ?? []
  if (kind === undefined || value === undefined) return source
  // udev writes what is unusual in a name as \xNN
  const plain = value.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return `${kind.toUpperCase()}=${plain}`
}

function hasTag({ partition, filesystem }: Volume, tag: string, value: string): boolean {
  switch (tag) {
    case 'UUID':
      return filesystem?.uuid?.toLowerCase() === value.toLowerCase()
    case 'LABEL':
      return filesystem?.label === value
    case 'PARTUUID':
      return partition?.partuuid === value.toLowerCase()
    default:
      return partition?.name === value
  }
}

function numberOnFirstDisk(source: string): number | undefined {
  const groups = BY_POSITION.exec(source)?.groups
  if (groups === undefined) return undefined
  const isFirst = groups.letter === undefined ? groups.disk === '0' : groups.letter === 'a'
  return isFirst ? Number(groups.number) : undefined
}
