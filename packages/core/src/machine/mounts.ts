import { parseFstab, readText, type FstabEntry } from '@c2m/linux'
import { editRootfs, joinRootfs } from '@c2m/rootfs'
import type { Rootfs } from '@c2m/plugin-api'
import { relative } from '../steps/configure.js'
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

const LIMIT = 1024 * 1024
/** Not on disks. */
export const NO_DISK =
  /^(?:proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|hugetlbfs|cgroup2?|debugfs|securityfs|swap|none|ramfs|efivarfs|configfs|overlay|fuse\..*)$/
const NETWORK = /^(?:nfs4?|cifs|smbfs|smb3|ceph|glusterfs|9p|virtiofs|afs|sshfs|fuse\.sshfs)$/
/** What is mounted there is of the running machine, or a medium that comes and goes. */
export const PASSING = /^\/(?:dev|proc|sys|run|media|selinux)(?:\/|$)/
/** File systems that hold what a machine boots from. */
const BOOT_ONLY = /^(?:vfat|msdos)$/

/**
 * Joins the file systems that the root's fstab(5) mounts. What cannot be found or read is told to `warn`: the image then
 * lacks it.
 * @param opened trees that were opened already
 */
export async function joinMounts(
  root: Rootfs,
  rootVolume: Volume,
  volumes: readonly Volume[],
  opened: ReadonlyMap<Volume, Rootfs>,
  warn: (message: string) => void,
): Promise<Joined> {
  const text = (await readText(root, 'etc/fstab', LIMIT)) ?? ''
  const crypttab = parseCrypttab((await readText(root, 'etc/crypttab', LIMIT)) ?? '')
  const mounts = new Map<string, { rootfs: Rootfs; volume: Volume }>()
  for (const entry of parseFstab(text).sort((a, b) => a.target.length - b.target.length)) {
    if (!isJoinable(entry)) continue
    const volume = findMounted(volumes, entry, crypttab)
    if (volume === rootVolume) continue
    const path = relative(entry.target)
    if (volume === undefined) {
      warn(`${entry.target} is missing: ${explain(entry)}`)
    } else if (volume.open === undefined) {
      if (BOOT_ONLY.test(volume.filesystem?.type ?? '')) continue
      const reader = otherReader(volume.filesystem?.type ?? '')
      warn(
        `${entry.target} is missing: ${describeVolume(volume)} cannot be read${reader === undefined ? '' : `; try ${reader}`}`,
      )
    } else if (!mounts.has(path)) {
      mounts.set(path, { volume, rootfs: await wholeTree(volume, opened) })
    }
  }
  if (mounts.size === 0) return { rootfs: root, mounts: [] }
  const trees = new Map([...mounts].map(([path, { rootfs }]) => [path, rootfs]))
  return {
    rootfs: joinRootfs(await withMountPoints(root, trees), trees),
    mounts: [...mounts].map(([path, { volume }]) => ({ path: `/${path}`, volume })),
  }
}

async function wholeTree(volume: Volume, opened: ReadonlyMap<Volume, Rootfs>): Promise<Rootfs> {
  const tree = (await volume.whole?.()) ?? opened.get(volume) ?? (await volume.open?.())
  if (tree === undefined) throw new Error(`${volume.name} has no tree`)
  return tree
}

function isJoinable({ source, target, type, options }: FstabEntry): boolean {
  if (!target.startsWith('/') || target === '/' || PASSING.test(target)) return false
  if (NO_DISK.test(type) && !NETWORK.test(type)) return false
  // by hand only, or a part of what is there already
  return !options.includes('noauto') && !options.includes('bind') && !options.includes('rbind') && source !== 'none'
}

function explain({ source, type }: FstabEntry): string {
  if (NETWORK.test(type) || /^[^/]+:\//.test(source) || source.startsWith('//')) {
    return `${source} is on the network, mount it into the container as a volume`
  }
  return `fstab mounts ${source}, which is not on this disk`
}

/** systemd makes missing mount points, so a tree may lack some. Nested ones are made in the tree that they lie in. */
async function withMountPoints(root: Rootfs, trees: Map<string, Rootfs>): Promise<Rootfs> {
  let base = root
  for (const path of [...trees.keys()].sort()) {
    const holder = [...trees.keys()]
      .filter((other) => path.startsWith(`${other}/`))
      .sort((a, b) => b.length - a.length)[0]
    const tree = holder === undefined ? base : trees.get(holder)!
    const inside = holder === undefined ? path : path.slice(holder.length + 1)
    if ((await tree.stat(inside))?.type === 'directory') continue
    const edited = editRootfs(tree)
    await edited.remove(inside)
    await edited.put({ path: inside, type: 'directory', mode: 0o755 })
    if (holder === undefined) base = edited
    else trees.set(holder, edited)
  }
  return base
}
