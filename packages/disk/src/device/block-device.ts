import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError, parseMountinfo, parseSwaps, type Mount } from '@c2m/process'
import { deviceNumbers } from '../block/device-numbers.js'

/** A block device as the running system knows it. */
export interface BlockDevice {
  /** As the user named it. */
  readonly path: string
  /** The kernel's name, e.g. 'sda'. */
  readonly name: string
  /** 'major:minor' */
  readonly number: string
  /** Bytes; 0 without a medium. */
  readonly size: number
  /** Bytes of a sector as the device counts them (its logical block size). */
  readonly sectorSize: number
  readonly readOnly: boolean
  /** Of a partition: the name of its disk. */
  readonly partitionOf?: string
  readonly model?: string
  readonly serial?: string
  /** Who uses it, its partitions, or what is built on them. */
  readonly uses: readonly DeviceUse[]
}

export type DeviceUse =
  | { readonly by: 'mount'; readonly name: string; readonly target: string }
  | { readonly by: 'swap'; readonly name: string }
  /** Device mapper (LVM, LUKS, multipath), MD, bcache …: `holder` is the name of what is built on it. */
  | { readonly by: 'holder'; readonly name: string; readonly holder: string }

/** Where the kernel and udev tell of devices. */
export interface HostFolders {
  readonly sys: string
  readonly proc: string
  readonly udev: string
}

const HOST: HostFolders = { sys: '/sys', proc: '/proc', udev: '/run/udev' }
/** The kernel gives the sizes of all block devices in this unit (sysfs-block). */
const SYSFS_SECTOR = 512

/** Undefined when the path is that of something else, or of nothing. @throws C2M_FILE_… */
export async function findBlockDevice(path: string): Promise<BlockDevice | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isBlockDevice() !== true) return undefined
  const { major, minor } = deviceNumbers(found.rdev)
  return readBlockDevice(path, `${major}:${minor}`)
}

/** What sysfs (Documentation/ABI/stable/sysfs-block), the kernel's lists and udev say of a device. @throws C2M_FILE_… */
export async function readBlockDevice(path: string, number: string, host: HostFolders = HOST): Promise<BlockDevice> {
  const folder = await realpath(join(host.sys, 'dev/block', number)).catch((error: unknown) => {
    throw fileError(error, path, 'find out about')
  })
  const isPartition = (await text(folder, 'partition')) !== undefined
  // queue and device are the whole disk's
  const disk = isPartition ? dirname(folder) : folder
  return {
    path,
    name: basename(folder),
    number,
    size: Number((await text(folder, 'size')) ?? 0) * SYSFS_SECTOR,
    sectorSize: Number((await text(disk, 'queue/logical_block_size')) ?? SYSFS_SECTOR),
    readOnly: (await text(folder, 'ro')) === '1',
    ...(isPartition ? { partitionOf: basename(disk) } : {}),
    ...(await identity(disk, host)),
    uses: await usesOf(folder, host),
  }
}

async function identity(disk: string, host: HostFolders): Promise<Pick<BlockDevice, 'model' | 'serial'>> {
  const udev = await udevProperties(await text(disk, 'dev'), host)
  const first = (...values: readonly (string | undefined)[]) => values.map(printable).find((value) => value !== '')
  const model = first(await text(disk, 'device/model'), udev.get('ID_MODEL'))
  const serial = first(await text(disk, 'serial'), await text(disk, 'device/serial'), udev.get('ID_SERIAL_SHORT'))
  return { ...(model === undefined ? {} : { model }), ...(serial === undefined ? {} : { serial }) }
}

/** udev's database: lines 'E:NAME=value' of what it knows beyond sysfs, as the serial of SCSI and USB disks. */
async function udevProperties(number: string | undefined, { udev }: HostFolders): Promise<ReadonlyMap<string, string>> {
  const lines = ((number && (await text(udev, `data/b${number}`))) ?? '').split('\n')
  return new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^E:([A-Z_]+)=(.*)$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [[name, value] as const]
    }),
  )
}

/** A device says of itself what it wants to. */
function printable(value = ''): string {
  return value
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, 64)
}

async function usesOf(folder: string, host: HostFolders): Promise<readonly DeviceUse[]> {
  const mounts = parseMountinfo((await text(host.proc, 'self/mountinfo')) ?? '')
  const swaps = parseSwaps((await text(host.proc, 'swaps')) ?? '')
  const uses: DeviceUse[] = []
  const seen = new Set<string>()
  const look = async (device: string): Promise<void> => {
    const name = basename(device)
    if (seen.has(name)) return
    seen.add(name)
    const number = await text(device, 'dev')
    const mapped = await text(device, 'dm/name')
    const paths = [`/dev/${name}`, ...(mapped === undefined ? [] : [`/dev/mapper/${mapped}`])]
    for (const mount of mounts) {
      if (isOn(mount, number, paths)) uses.push({ by: 'mount', name, target: mount.target })
    }
    if (swaps.some((path) => paths.includes(path))) uses.push({ by: 'swap', name })
    for (const holder of await names(join(device, 'holders'))) {
      const upper = join(host.sys, 'class/block', holder)
      const shown = (await text(upper, 'dm/name')) ?? holder
      uses.push({ by: 'holder', name, holder: shown })
      await look(upper)
    }
    for (const entry of await names(device)) {
      const part = join(device, entry)
      if ((await text(part, 'partition')) !== undefined) await look(part)
    }
  }
  await look(folder)
  return uses
}

function isOn({ number, source }: Mount, device: string | undefined, paths: readonly string[]): boolean {
  return number === device || (number.startsWith('0:') && paths.includes(source))
}

async function names(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}

/** Without the newline at its end; undefined when there is no such file. */
async function text(folder: string, name: string): Promise<string | undefined> {
  const content = await readFile(join(folder, name), 'utf8').catch(() => undefined)
  return content?.trim()
}
