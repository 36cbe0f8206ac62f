import { stat } from 'node:fs/promises'
import { compareRootfs, archiveRootfs, indexLayer, type CompareOptions, type Difference } from '@c2m/rootfs'
import { tool } from './tools.js'

/** A part of a disk. */
export interface Extent {
  /** Bytes. */
  readonly start: number
  readonly size: number
}

/** As sfdisk(8) sees them, by number. */
export async function partitions(disk: string): Promise<ReadonlyMap<number, Extent>> {
  const { partitiontable } = JSON.parse(await tool('sfdisk', ['--json', disk])) as {
    partitiontable: { sectorsize?: number; partitions: { node: string; start: number; size: number }[] }
  }
  const sector = partitiontable.sectorsize ?? 512
  return new Map(
    partitiontable.partitions.map(({ node, start, size }) => [
      Number(/\d+$/.exec(node)?.[0]),
      { start: start * sector, size: size * sector },
    ]),
  )
}

/** The whole of a file. */
export async function wholeDisk(disk: string): Promise<Extent> {
  return { start: 0, size: (await stat(disk)).size }
}

/**
 * GNU tar's archive of file systems that the kernel mounts through loop devices, read-only and without their journals
 * being replayed unless asked for, in a mount namespace that goes with the process.
 * @param mounts mount point → where on the disk; '/' first
 */
export async function kernelTar(
  disk: string,
  mounts: Readonly<Record<string, Extent>>,
  tar: string,
  journal: 'noload' | 'replay' = 'noload',
): Promise<void> {
  // ext2 has no journal, and so no such option
  const tries = (journal === 'noload' ? [',ro,noload', ',ro'] : ['']).map(
    (options) => `mount -o loop,offset=$2,sizelimit=$3${options} "$disk" "$root$1"`,
  )
  const script = [
    'disk=$1; tar=$2; shift 2; root=$(mktemp -d)',
    'trap "umount -R $root; rmdir $root" EXIT',
    `while [ $# -gt 0 ]; do ${tries.join(' 2>/dev/null || ')}; shift 3; done`,
    // sockets are told on standard error and left out
    'tar -C "$root" -cf "$tar" --xattrs "--xattrs-include=*" --acls --numeric-owner . 2>/dev/null',
  ].join('\n')
  const words = Object.entries(mounts).flatMap(([path, { start, size }]) => [path, String(start), String(size)])
  await tool('unshare', ['--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', disk, tar, ...words])
}

/** All in which two tars differ. */
export async function compareTars(
  before: string,
  after: string,
  options?: CompareOptions,
): Promise<readonly Difference[]> {
  await using a = await archiveRootfs(await indexLayer(before))
  await using b = await archiveRootfs(await indexLayer(after))
  // awaited: the trees are open as long as this function runs
  return await compareRootfs(a, b, { limit: 100_000, ...options })
}

/** Differences as lines, for messages of failing tests. */
export function lines(differences: readonly Difference[]): readonly string[] {
  return differences.map(({ path, aspect, a, b }) => `${path}: ${aspect}: ${a} → ${b}`)
}
