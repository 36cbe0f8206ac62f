import { readBytes } from '@c2m/linux'
import type { PartitionTableType, Rootfs } from '@c2m/plugin-api'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BOOT_CODE } from './boot-sector.js'
import { extlinuxError } from './error.js'
import { hostLoader } from './host-loader.js'
import { MAX_LOADER, REINSTALL } from './loader.js'
import { FOLDER } from './location.js'
import { LOADER_FILES } from './scratch.js'

/** Bytes; no module that is used has a quarter of it. */
const MAX_FILE = MAX_LOADER

/** The menu, and what it is linked with (`readelf -d`). */
const MODULES = ['menu.c32', 'libutil.c32'] as const

/** Where packages of one package manager or the other put modules and boot code. */
export const PACKAGED_FOLDERS = [
  ...['/usr/lib/syslinux/modules/bios', '/usr/lib/syslinux/mbr', '/usr/lib/EXTLINUX'],
  ...['/usr/share/syslinux', '/usr/lib/syslinux/bios', '/usr/lib/syslinux'],
] as const

/** Everything that goes into FOLDER, by name. */
export type Files = ReadonlyMap<string, Uint8Array>

export function bootCodeName(table: PartitionTableType): string {
  return table === 'gpt' ? 'gptmbr.bin' : 'mbr.bin'
}

/**
 * All of one version: from the guest's package, else from the host's.
 *
 * @throws C2M_EXTLINUX_FILES when neither has them
 */
export async function collectFiles(rootfs: Rootfs, table: PartitionTableType, signal: AbortSignal): Promise<Files> {
  const guest = await guestFiles(rootfs, table)
  if (guest.missing === undefined) return guest.files
  const host = await hostFiles(table, signal)
  if (host.missing === undefined) return host.files
  throw extlinuxError(
    'C2M_EXTLINUX_FILES',
    `EXTLINUX has no files to be installed from: the machine lacks ${guest.missing}, this host lacks ${host.missing}`,
    'install syslinux with its modules and mtools on this host (with apt: apt-get install extlinux syslinux syslinux-common mtools)',
    3,
  )
}

interface Collected {
  readonly files: Files
  /** The first that is not there. */
  readonly missing?: string
}

async function guestFiles(rootfs: Rootfs, table: PartitionTableType): Promise<Collected> {
  const read = async (folder: string, name: string) => {
    const bytes = await readBytes(rootfs, `${folder}/${name}`, MAX_FILE).catch((error: unknown) => {
      throw extlinuxError('C2M_EXTLINUX_FILE', (error as Error).message, REINSTALL)
    })
    return bytes
  }
  const loader = await collect(LOADER_FILES, [FOLDER], read)
  return loader.missing === undefined ? withModules(loader.files, table, read) : loader
}

async function hostFiles(table: PartitionTableType, signal: AbortSignal): Promise<Collected> {
  const loader = await hostLoader(signal)
  if ('missing' in loader) return { files: new Map(), missing: loader.missing }
  return withModules(loader.files, table, (folder, name) => readFile(join(folder, name)).catch(() => undefined))
}

async function withModules(loader: Files, table: PartitionTableType, read: Read): Promise<Collected> {
  const { files, missing } = await collect([...MODULES, bootCodeName(table)], PACKAGED_FOLDERS, read)
  return { files: new Map([...loader, ...files]), missing }
}

type Read = (folder: string, name: string) => Promise<Uint8Array | undefined>

async function collect(names: readonly string[], folders: readonly string[], read: Read): Promise<Collected> {
  const files = new Map<string, Uint8Array>()
  for (const name of names) {
    const found = await first(folders, (folder) => read(folder, name))
    if (found === undefined) return { files, missing: name }
    files.set(name, found)
  }
  return { files }
}

async function first<T, R>(items: readonly T[], find: (item: T) => Promise<R | undefined>): Promise<R | undefined> {
  for (const item of items) {
    const found = await find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** A file that was put into FOLDER before the disk was assembled. @throws C2M_EXTLINUX_FILE */
export async function installedFile(rootfs: Rootfs, name: string, limit = BOOT_CODE): Promise<Uint8Array> {
  const bytes = await readBytes(rootfs, `${FOLDER}/${name}`, limit).catch((error: unknown) => {
    throw extlinuxError('C2M_EXTLINUX_FILE', (error as Error).message, REINSTALL)
  })
  if (bytes !== undefined) return bytes
  throw extlinuxError('C2M_EXTLINUX_FILE', `the machine's ${FOLDER}/${name} is missing`, REINSTALL)
}
