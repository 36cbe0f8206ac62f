import {
  createRawDisk,
  diskSize,
  formatUuid,
  partitionRange,
  region,
  writePartitionTable,
  type BlockTarget,
} from '@c2m/disk'
import { estimateExt4, writeExt4, writeFat32, writeSwap } from '@c2m/filesystem'
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
  const rootContent = belowMountpoint(context.rootfs, plan.disk, rootOf(plan.disk))
  const total = await chooseSize(plan, rootContent, options.size)
  await using disk = await createRawDisk(options.path, total)
  for (const partition of plan.disk.partitions) {
    const { offset, size } = partitionRange(plan.disk, total, partition.role)
    await writeFilesystem(plan, partition, region(disk, offset, size), offset, options)
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

async function writeFilesystem(
  plan: Plan,
  partition: PlannedPartition,
  target: BlockTarget,
  offset: number,
  { context, reporter }: AssembleOptions,
): Promise<void> {
  const { filesystem, uuid, label, mountpoint } = partition
  if (filesystem === undefined || uuid === undefined) return
  if (filesystem === 'swap') return writeSwap(target, { uuid, label })
  const tree = belowMountpoint(context.rootfs, plan.disk, partition)
  if (filesystem === 'vfat') {
    const time = { seconds: plan.epoch, nanoseconds: 0 }
    await writeFat32(tree, target, {
      volumeId: uuid,
      label: label ?? 'EFI',
      time,
      hiddenSectors: offset / 512,
      signal: context.signal,
    })
    return
  }
  const { losses } = await writeExt4(tree, target, {
    ...ext4Options(plan, partition),
    mountpointHint: mountpoint,
    signal: context.signal,
    onProgress: (bytes) => reporter.progress(bytes),
  })
  for (const { path, what } of losses) reporter.warn(`/${path}: ${what}`)
}

function ext4Options(plan: Plan, partition: PlannedPartition) {
  return {
    uuid: partition.uuid ?? '',
    label: partition.label,
    features: plan.ext4Features,
    time: { seconds: plan.epoch, nanoseconds: 0 },
    hashSeed: formatUuid(plan.random(`hash-seed/${partition.role}`, 16)),
  }
}

/** The part of the tree that goes into a partition: what lies below its mount point, without other partitions' content. */
function belowMountpoint(tree: Rootfs, disk: DiskPlan, partition: PlannedPartition): Rootfs {
  const own = relative(partition.mountpoint ?? '/')
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
async function chooseSize(plan: Plan, content: Rootfs, asked: number | 'auto'): Promise<number> {
  const { minimumBytes } = await estimateExt4(content, ext4Options(plan, rootOf(plan.disk)))
  if (asked === 'auto') return diskSize(plan.disk, minimumBytes + Math.max(256 * MIB, minimumBytes / 4))
  const needed = diskSize(plan.disk, minimumBytes)
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
