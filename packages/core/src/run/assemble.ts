import {
  createRawDisk,
  diskSize,
  formatUuid,
  partitionRange,
  region,
  writePartitionTable,
  type BlockTarget,
} from '@c2m/disk'
import { planExt4, writeFat32, writeSwap, type Ext4Plan } from '@c2m/filesystem'
import { subtree, withoutContents } from '@c2m/rootfs'
import type { DiskPlan, PlannedPartition, Rootfs, StepContext } from '@c2m/plugin-api'
import { C2mError, ExitCode, type Reporter } from '@c2m/process'
import type { Plan } from '../plan/plan.js'
import { evaluate, relative } from './configure.js'

const MIB = 1024 * 1024

export interface AssembleOptions {
  /** Where the raw disk is written. */
  readonly path: string
  readonly size: number | 'auto'
  readonly context: StepContext
  readonly reporter: Reporter
}

/** The finished tree becomes a raw disk: file systems, then the table, then boot code. Returns the disk's size in bytes. */
export async function assemble(plan: Plan, options: AssembleOptions): Promise<number> {
  const { context } = options
  const rootPlan = await planPartition(plan, rootOf(plan.disk), options)
  const total = await chooseSize(plan.disk, rootPlan, options.size)
  await using disk = await createRawDisk(options.path, total)
  for (const partition of plan.disk.partitions) {
    const { offset, size } = partitionRange(plan.disk, total, partition.role)
    const target = region(disk, offset, size)
    if (partition.filesystem === 'ext4') {
      const planned = partition.role === 'root' ? rootPlan : await planPartition(plan, partition, options)
      const { losses } = await planned.write(target)
      for (const { path, what } of losses) options.reporter.warn(`/${path}: ${what}`)
    } else await writeOther(plan, partition, target, offset, context)
  }
  await writePartitionTable(disk, plan.disk)
  for (const step of plan.steps) {
    if (step.do !== 'writeBlocks') continue
    const { partition, offset } = step.where
    const base = partition === undefined ? 0 : partitionRange(plan.disk, total, partition).offset
    await disk.write(base + offset, await evaluate(step.bytes, context))
  }
  await disk.sync()
  return total
}

async function writeOther(
  plan: Plan,
  { filesystem, uuid, label, mountpoint }: PlannedPartition,
  target: BlockTarget,
  offset: number,
  { rootfs, signal }: StepContext,
): Promise<void> {
  if (uuid === undefined) return
  if (filesystem === 'swap') await writeSwap(target, { uuid, label })
  if (filesystem !== 'vfat') return
  await writeFat32(belowMountpoint(rootfs, plan.disk, mountpoint), target, {
    volumeId: uuid,
    label: label ?? 'EFI',
    time: { seconds: plan.epoch, nanoseconds: 0 },
    hiddenSectors: offset / 512,
    signal,
  })
}

function planPartition(
  plan: Plan,
  { uuid, label, role, mountpoint }: PlannedPartition,
  { context, reporter }: AssembleOptions,
): Promise<Ext4Plan> {
  return planExt4(belowMountpoint(context.rootfs, plan.disk, mountpoint), {
    uuid: uuid ?? '',
    label,
    features: plan.ext4Features,
    time: { seconds: plan.epoch, nanoseconds: 0 },
    hashSeed: formatUuid(plan.random(`hash-seed/${role}`, 16)),
    mountpointHint: mountpoint,
    signal: context.signal,
    onProgress: (bytes) => reporter.progress(bytes),
  })
}

/** The part of the tree that goes into a partition: what lies below its mount point, without other partitions' content. */
function belowMountpoint(tree: Rootfs, disk: DiskPlan, mountpoint = '/'): Rootfs {
  const own = relative(mountpoint)
  const others = disk.partitions
    .flatMap(({ mountpoint }) => (mountpoint === undefined ? [] : [relative(mountpoint)]))
    .filter((path) => path !== own && (own === '' || path.startsWith(`${own}/`)))
  const whole = others.length === 0 ? tree : withoutContents(tree, others)
  return own === '' ? whole : subtree(whole, own)
}

function rootOf(disk: DiskPlan): PlannedPartition {
  const root = disk.partitions.find(({ role }) => role === 'root')
  if (root === undefined) throw new Error('a disk plan has a root partition')
  return root
}

/** What fits, with a reserve of a quarter, at least 256 MiB; or what the user said, if it does fit. */
async function chooseSize(disk: DiskPlan, root: Ext4Plan, asked: number | 'auto'): Promise<number> {
  const minimumBytes = await root.minimumBytes()
  if (asked === 'auto') return diskSize(disk, minimumBytes + Math.max(256 * MIB, minimumBytes / 4))
  const needed = diskSize(disk, minimumBytes)
  if (asked >= needed) return asked
  throw new C2mError(
    'C2M_DISK_TOO_SMALL',
    `the machine needs at least ${mib(needed)} MiB, --size gives ${mib(asked)} MiB`,
    {
      hint: 'give a larger --size, or --size auto',
      exitCode: ExitCode.usage,
    },
  )
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB)
}
