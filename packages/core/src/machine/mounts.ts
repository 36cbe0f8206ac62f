import { parseFstab, readText, type FstabEntry } from '@c2m/linux'
import { isC2mError, shown } from '@c2m/process'
import type { Rootfs } from '@c2m/plugin-api'
import { MountedTree } from './mounted-tree.js'
import { otherReader } from './root.js'
import { findMounted, parseCrypttab } from './volume-name.js'
import { describeVolume, type Volume } from './volume.js'

/** A file system that was joined to the root. */
export interface JoinedMount {
  /** Absolute. */
  readonly path: string
  readonly volume: Volume
}

export interface Joined {
  readonly rootfs: Rootfs
  readonly mounts: readonly JoinedMount[]
}

/** Not on disks. */
export const NO_DISK =
  /^(?:proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|hugetlbfs|cgroup2?|debugfs|securityfs|swap|none|ramfs|efivarfs|configfs|overlay|fuse\..*)$/
const NETWORK = /^(?:nfs4?|cifs|smbfs|smb3|ceph|glusterfs|9p|virtiofs|afs|sshfs|fuse\.sshfs)$/
/** What is mounted there is of the running machine, or a medium that comes and goes. */
export const PASSING = /^\/(?:dev|proc|sys|run|media|selinux)(?:\/|$)/
/** Where a firmware's partition is mounted: what a machine boots from stays behind anyway. */
const FIRMWARE = /^\/(?:boot|efi)(?:\/|$)/

/**
 * Joins the file systems that the root's fstab(5) mounts, one after the other, where the kernel would: links in a target
 * are followed in what is joined so far. A volume is joined once, where its path is the shortest: content that is mounted in
 * a second place is no more content. What cannot be found, read or placed is told to `warn`: the image then lacks it.
 * @param opened trees that were opened already
 */
export async function joinMounts(
  root: Rootfs,
  rootVolume: Volume,
  volumes: readonly Volume[],
  opened: ReadonlyMap<Volume, Rootfs>,
  warn: (message: string) => void,
): Promise<Joined> {
  const text = (await readText(root, 'etc/fstab')) ?? ''
  const crypttab = parseCrypttab((await readText(root, 'etc/crypttab')) ?? '')
  const tree = new MountedTree(root)
  const mounts = new Map<Volume, string>()
  for (const entry of parseFstab(text).sort((a, b) => a.target.length - b.target.length)) {
    if (!isOfDisk(entry)) continue
    const missing = (because: string) => warn(`${shown(entry.target)} is missing: ${shown(because)}`)
    if (isBind(entry)) {
      if (PASSING.test(entry.source)) continue
      missing(`it shows ${entry.source} in another place, which an image cannot; a symlink there can`)
      continue
    }
    const volume = findMounted(volumes, entry, crypttab)
    if (volume === rootVolume) continue
    const place = volume && mounts.get(volume)
    if (isByHand(entry)) {
      if (volume !== undefined) missing(`fstab does not mount ${describeVolume(volume)} by itself (noauto)`)
    } else if (volume === undefined) {
      missing(explain(entry))
    } else if (place !== undefined) {
      missing(`${describeVolume(volume)} is at ${place} already; a symlink shows it in another place, too`)
    } else if (volume.open === undefined) {
      if (!FIRMWARE.test(entry.target)) missing(unreadable(volume))
    } else {
      const content = await wholeTree(volume, opened).catch((error: unknown) => {
        if (!isC2mError(error) || error.code === 'C2M_INTERRUPTED') throw error
        missing(error.message)
      })
      const path = content && (await tree.mount(entry.target, content))
      if (path !== undefined) mounts.set(volume, `/${path}`)
      else if (content !== undefined) missing('something else is there')
    }
  }
  return { rootfs: tree.rootfs, mounts: [...mounts].map(([volume, path]) => ({ path, volume })) }
}

async function wholeTree(volume: Volume, opened: ReadonlyMap<Volume, Rootfs>): Promise<Rootfs> {
  const tree = (await volume.whole?.()) ?? opened.get(volume) ?? (await volume.open?.())
  if (tree === undefined) throw new Error(`${volume.name} has no tree`)
  return tree
}

function isOfDisk({ target, type, options }: FstabEntry): boolean {
  if (!target.startsWith('/') || target === '/' || PASSING.test(target)) return false
  return !NO_DISK.test(type) || NETWORK.test(type) || isBind({ options })
}

function isBind({ options }: Pick<FstabEntry, 'options'>): boolean {
  return options.includes('bind') || options.includes('rbind')
}

function isByHand({ options }: FstabEntry): boolean {
  return options.includes('noauto') && !options.includes('x-systemd.automount')
}

function unreadable(volume: Volume): string {
  const reader = otherReader(volume.filesystem?.type ?? '')
  return `${describeVolume(volume)} cannot be read${reader === undefined ? '' : `; try ${reader}`}`
}

function explain({ source, type }: FstabEntry): string {
  if (NETWORK.test(type) || /^[^/]+:\//.test(source) || source.startsWith('//')) {
    return `${source} is on the network, mount it into the container as a volume`
  }
  return `fstab mounts ${source}, which is not on this disk`
}
