import {
  checkDevice,
  describeDevice,
  diskSize,
  findBlockDevice,
  openDisk,
  readTable,
  sourceRegion,
  writeDevice,
  type BlockDevice,
  type BlockSource,
} from '@c2m/disk'
import { probeFilesystem } from '@c2m/filesystem'
import type { DiskPlan } from '@c2m/plugin-api'
import { C2mError, ExitCode, isC2mError, makeCacheFolder, usageError, type Reporter } from '@c2m/process'
import { lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'

/** A block device that is to become the machine's disk. */
export interface TargetDevice {
  readonly device: BlockDevice
  /** What is on it now, for people, e.g. 'gpt', 'partition 1: ext4 “root”'; empty when nothing is recognized. */
  readonly contents: readonly string[]
}

/** Undefined when the output is a file. @throws when the device cannot be the disk, or the request is not one for a device */
export async function findTargetDevice(request: ContainerToVmRequest): Promise<TargetDevice | undefined> {
  const { output, format, size } = request
  const device = await findBlockDevice(output)
  if (device === undefined) {
    await refuseFileAmongDevices(output)
    return undefined
  }
  checkDevice(device)
  if (format !== 'raw') {
    throw usageError(
      'C2M_DEVICE_FORMAT',
      `${output} is a block device and takes a raw disk, not ${format}`,
      'leave --format out, or write to a file',
    )
  }
  if (size !== 'auto') {
    throw usageError(
      'C2M_DEVICE_SIZE',
      `the machine's disk is all of ${describeDevice(device)}, whatever --size says`,
      'leave --size out, or say --size auto',
    )
  }
  return { device, contents: await describeContents(device) }
}

/** What somebody has to agree to. */
export function overwriteError({ device, contents }: TargetDevice): C2mError {
  const what = contents.length === 0 ? 'nothing that c2m knows is on it' : contents.join(', ')
  return usageError(
    'C2M_DEVICE_OVERWRITE',
    `all of ${describeDevice(device)} would be overwritten: ${what}`,
    'use --force if all of it may go',
  )
}

/** @param contentBytes sum of the sizes of files that will be on the root at least */
export function checkRoom(disk: DiskPlan, contentBytes: number, { device }: TargetDevice): void {
  if (diskSize(disk, contentBytes) > device.size) throw deviceTooSmall(diskSize(disk, contentBytes), device.size)
}

/** @param needed bytes @param size bytes of the device */
export function deviceTooSmall(needed: number, size: number): C2mError {
  const mib = (bytes: number) => Math.ceil(bytes / 2 ** 20)
  return new C2mError(
    'C2M_DEVICE_TOO_SMALL',
    `the machine needs at least ${mib(needed)} MiB, the device has ${mib(size)} MiB`,
    { hint: 'nothing was written; name a larger device', exitCode: ExitCode.usage },
  )
}

/** Where the disk is made before anything on the device is touched, so that what the device gives back has a likeness. */
export interface DeviceOutput extends AsyncDisposable {
  readonly path: string
  /** Writes the disk onto the device. @param end bytes from the start of the disk to the end of its last file system */
  commit(end: number): Promise<void>
}

export async function deviceOutput(
  { device }: TargetDevice,
  { folder, signal, reporter }: { readonly folder: string; readonly signal: AbortSignal; readonly reporter: Reporter },
): Promise<DeviceOutput> {
  const temporary = await makeCacheFolder(folder)
  const path = join(temporary.path, 'disk.raw')
  return {
    path,
    async commit(end) {
      const done = reporter.stage(`write ${describeDevice(device)} and compare it`)
      const onProgress = (bytes: number) => reporter.progress(bytes)
      await writeDevice(path, device, { end, signal, onProgress, warn: (message) => reporter.warn(message) })
      done()
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  }
}

/** A slip in a device's name would otherwise fill the memory that /dev is in. */
async function refuseFileAmongDevices(output: string): Promise<void> {
  const path = resolve(output)
  if (!path.startsWith('/dev/') || path.startsWith('/dev/shm/')) return
  if ((await lstat(path).catch(() => undefined)) !== undefined) return // neither: said where outputs are made
  throw usageError('C2M_DEVICE_MISSING', `there is no device ${output}`, 'lsblk lists the disks')
}

async function describeContents(device: BlockDevice): Promise<readonly string[]> {
  await using disk = await openDisk(device.path, { format: 'raw' })
  const { source } = disk
  const whole = await probe(source)
  const table = await readTable(source).catch((error: unknown) => {
    if (isC2mError(error)) return undefined
    throw error
  })
  const found: string[] = []
  // FAT's boot sector may look like a table
  if (whole !== undefined) found.push(whole)
  if (table !== undefined) found.push(`a ${table.table.toUpperCase()} partition table`)
  for (const { number, offset, size } of table?.partitions ?? []) {
    const filesystem = await probe(sourceRegion(source, offset, size))
    found.push(`partition ${number}${filesystem === undefined ? '' : `: ${filesystem}`}`)
  }
  return found
}

async function probe(source: BlockSource): Promise<string | undefined> {
  const found = await probeFilesystem(source)
  if (found === undefined) return undefined
  const label = found.label?.replace(/[^\x20-\x7e]/g, '?')
  return label ? `${found.type} '${label}'` : found.type
}
