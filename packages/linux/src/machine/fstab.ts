import type { DiskPlan, PlannedPartition, Step } from '@c2m/plugin-api'
import { ensureDirectory } from '../files/write.js'

/** Mount options by what a partition is for. */
const OPTIONS: Readonly<Partial<Record<PlannedPartition['role'], string>>> = {
  // a damaged root must not be damaged further
  root: 'errors=remount-ro',
  // FAT knows no owners: only root reads boot loaders and their secrets
  esp: 'umask=0077',
}

/** fstab(5) for a disk: every file system by its UUID, since names of disks depend on the machine. */
export function fstab(disk: DiskPlan): string {
  const lines = disk.partitions.flatMap((partition) => {
    const line = fstabLine(partition)
    return line === undefined ? [] : [line]
  })
  return `# <file system> <mount point> <type> <options> <dump> <pass>\n${lines.sort(rootFirst).map(row).join('')}`
}

type Line = readonly [source: string, target: string, type: string, options: string, dump: string, pass: string]

function fstabLine({ role, filesystem, uuid, mountpoint }: PlannedPartition): Line | undefined {
  if (filesystem === undefined || uuid === undefined) return undefined
  if (filesystem === 'swap') return [`UUID=${uuid}`, 'none', 'swap', 'sw', '0', '0']
  if (mountpoint === undefined) return undefined
  // fsck checks the root first, then the others; FAT's checker is in a package that a machine may lack
  const pass = mountpoint === '/' ? '1' : filesystem === 'vfat' ? '0' : '2'
  return [`UUID=${uuid}`, escape(mountpoint), filesystem, OPTIONS[role] ?? 'defaults', '0', pass]
}

function row(fields: Line): string {
  return `${fields.join(' ')}\n`
}

/** A mount point comes before what is mounted below it; swap comes last. */
function rootFirst(a: Line, b: Line): number {
  const depth = ([, target]: Line) =>
    target === 'none' ? Infinity : target.split('/').filter((part) => part !== '').length
  return depth(a) === depth(b) ? 0 : depth(a) - depth(b)
}

/** fstab(5): blanks in a mount point are written in octal. */
function escape(path: string): string {
  return path.replace(/[\s\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Directories that a kernel, an init or fstab mount on; images often leave them out. */
const MOUNT_POINTS = ['dev', 'proc', 'run', 'sys']

export function fstabSteps(owner: string, disk: DiskPlan): readonly Step[] {
  const mountPoints = disk.partitions.flatMap(({ mountpoint }) => (mountpoint === undefined ? [] : [mountpoint]))
  return [
    {
      id: `${owner}/fstab`,
      title: 'write /etc/fstab',
      phase: 'configure',
      do: 'write',
      path: '/etc/fstab',
      mode: 0o644,
      content: fstab(disk),
    },
    {
      id: `${owner}/mount-points`,
      title: 'make the directories to mount on',
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        for (const path of [...MOUNT_POINTS, ...mountPoints.filter((point) => point !== '/')])
          await ensureDirectory(rootfs, path)
        for (const path of ['tmp', 'var/tmp']) await ensureDirectory(rootfs, path, 0o1777)
        await ensureDirectory(rootfs, 'root', 0o700)
      },
    },
  ]
}
