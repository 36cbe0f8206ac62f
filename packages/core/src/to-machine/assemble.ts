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
import type {
  DiskPlan,
  FilePlace,
  PartitionRole,
  PlannedPartition,
  Rootfs,
  StepContext,
  WriteBlocksStep,
} from '@c2m/plugin-api'
import { C2mError, ExitCode, type Reporter } from '@c2m/process'
import type { Plan } from './plan.js'
import { evaluate, relative } from '../steps/configure.js'

const MIB = 1024 * 1024
/** The unit in which writeExt4 tells extents; bytes. */
const EXT4_BLOCK = 4096

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
  const places = new Map<string, FilePlace>()
  await using disk = await createRawDisk(options.path, total)
  for (const partition of plan.disk.partitions) {
    const { offset, size } = partitionRange(plan.disk, total, partition.role)
    const target = region(disk, offset, size)
    if (partition.filesystem === 'ext4') {
      const planned = partition.role === 'root' ? rootPlan : await planPartition(plan, partition, options)
      const { losses, extents } = await planned.write(target)
      for (const [path, list] of extents) places.set(absolute(partition.mountpoint, path), place(partition.role, list))
      for (const { path, what } of losses) options.reporter.warn(`/${path}: ${what}`)
    } else await writeOther(plan, partition, target, offset, context)
  }
  await writePartitionTable(disk, plan.disk)
  for (const step of plan.steps) {
    if (step.do !== 'writeBlocks') continue
    const bytes = await evaluate(step.bytes, { ...context, places })
    for (const { offset, part } of targets(
      step,
      bytes,
      places,
      (role) => partitionRange(plan.disk, total, role).offset,
    ))
      await disk.write(offset, part)
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
    locate: plan.steps
      .flatMap((step) => (step.do === 'writeBlocks' ? (step.locate ?? []) : []))
      .map((path) => below(mountpoint, path)),
    signal: context.signal,
    onProgress: (bytes) => reporter.progress(bytes),
  })
}

/** Where on the disk, in bytes, the parts of a step's bytes go. */
function* targets(
  step: WriteBlocksStep,
  bytes: Uint8Array,
  places: ReadonlyMap<string, FilePlace>,
  startOf: (role: PartitionRole) => number,
): Generator<{ readonly offset: number; readonly part: Uint8Array }> {
  const { where } = step
  if (!('file' in where)) {
    yield { offset: (where.partition === undefined ? 0 : startOf(where.partition)) + where.offset, part: bytes }
    return
  }
  const found = places.get(where.file)
  const room = found?.extents.reduce((sum, { length }) => sum + length, 0) ?? 0
  if (found === undefined || room < bytes.length) {
    throw new C2mError(
      'C2M_PLUGIN_STEP',
      `"${step.title}" writes ${bytes.length} bytes over ${where.file}, which has ${room}`,
    )
  }
  for (const { at, offset, length } of found.extents) {
    const part = bytes.subarray(at, at + length)
    if (part.length > 0) yield { offset: startOf(found.partition) + offset, part }
  }
}

function place(
  partition: PartitionRole,
  extents: readonly { logical: number; block: number; count: number }[],
): FilePlace {
  const inBytes = extents.map(({ logical, block, count }) => ({
    at: logical * EXT4_BLOCK,
    offset: block * EXT4_BLOCK,
    length: count * EXT4_BLOCK,
  }))
  return { partition, extents: inBytes }
}

/** A path as the file system mounted on `mountpoint` knows it; nothing in it when it lies elsewhere. */
function below(mountpoint = '/', path: string): string {
  const own = relative(mountpoint)
  const clean = relative(path)
  return own === '' ? clean : clean.startsWith(`${own}/`) ? clean.slice(own.length + 1) : ''
}

function absolute(mountpoint = '/', path: string): string {
  return `/${[relative(mountpoint), path].filter(Boolean).join('/')}`
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
