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
import { deviceTooSmall } from './target-device.js'

const MIB = 1024 * 1024
/** The unit in which writeExt4 tells extents; bytes. */
const EXT4_BLOCK = 4096

export interface AssembleOptions {
  /** Where the raw disk is written. */
  readonly path: string
  readonly size: number | 'auto'
  /** Bytes of the device that the disk is for, which its table then spans, while the root's file system is as large as with 'auto'. */
  readonly deviceBytes?: number
  readonly context: StepContext
  readonly reporter: Reporter
}

/** A raw disk in a file. */
export interface AssembledDisk {
  /** Bytes. */
  readonly size: number
  /** Bytes from the start of the disk to the end of the root's file system; behind it only GPT's backup is. */
  readonly end: number
}

/** The finished tree becomes a raw disk: file systems, then the table, then boot code. */
export async function assemble(plan: Plan, options: AssembleOptions): Promise<AssembledDisk> {
  const { context } = options
  const rootPlan = await planPartition(plan, rootOf(plan.disk), options)
  const sizes = await chooseSizes(plan.disk, rootPlan, options)
  const { size: total } = sizes
  const places = new Map<string, FilePlace>()
  await using disk = await createRawDisk(options.path, total)
  for (const partition of plan.disk.partitions) {
    const { offset, size } = partitionRange(plan.disk, total, partition.role)
    // on a device the root's file system grows to its partition at first boot
    const target = region(disk, offset, Math.min(size, sizes.end - offset))
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
  return sizes
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

/** What fits, with a reserve of a quarter, at least 256 MiB; or what the user said, or the device has, if it does fit. */
async function chooseSizes(
  disk: DiskPlan,
  root: Ext4Plan,
  { size: asked, deviceBytes }: AssembleOptions,
): Promise<AssembledDisk> {
  const minimumBytes = await root.minimumBytes()
  const needed = diskSize(disk, minimumBytes)
  const comfortable = diskSize(disk, minimumBytes + Math.max(256 * MIB, minimumBytes / 4))
  if (deviceBytes !== undefined) {
    if (deviceBytes < needed) throw deviceTooSmall(needed, deviceBytes)
    return { size: deviceBytes, end: Math.min(endOf(disk, deviceBytes), endOf(disk, comfortable)) }
  }
  const size = asked === 'auto' ? comfortable : asked
  if (size >= needed) return { size, end: endOf(disk, size) }
  throw new C2mError(
    'C2M_DISK_TOO_SMALL',
    `the machine needs at least ${mib(needed)} MiB, --size gives ${mib(size)} MiB`,
    {
      hint: 'give a larger --size, or --size auto',
      exitCode: ExitCode.usage,
    },
  )
}

/** Where the root, the last partition, ends on a disk of `size` bytes. */
function endOf(disk: DiskPlan, size: number): number {
  const root = partitionRange(disk, size, 'root')
  return root.offset + root.size
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB)
}
