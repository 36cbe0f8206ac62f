import type { Rootfs } from '@c2m/plugin-api'
import { readFile } from 'node:fs/promises'
import { systemdBootError } from './error.js'

/** Where packages put the loader, in the guest and on this host. */
const FOLDER = '/usr/lib/systemd/boot/efi'

/** Bytes; it has less than 200 KiB. */
const MAX_LOADER = 4 << 20

/**
 * The loader's program, of the guest's own package, else of this host's.
 *
 * @param suffix as UEFI names the machine type, e.g. 'x64'
 * @throws C2M_SYSTEMD_BOOT_MISSING (exit code 3), C2M_SYSTEMD_BOOT_PROGRAM
 */
export async function findLoader(rootfs: Rootfs, suffix: string, hostFolder = FOLDER): Promise<Uint8Array> {
  const name = `systemd-boot${suffix}.efi`
  const found = (await fromGuest(rootfs, `${FOLDER}/${name}`)) ?? (await fromHost(`${hostFolder}/${name}`))
  if (found === undefined) {
    throw systemdBootError(
      'C2M_SYSTEMD_BOOT_MISSING',
      `neither the machine nor this host has ${FOLDER}/${name}`,
      'install systemd-boot on this host (with apt: apt-get install systemd-boot-efi)',
      3,
    )
  }
  // PE/COFF 3.1: a DOS header comes first
  if (found.length <= MAX_LOADER && Buffer.from(found).toString('latin1', 0, 2) === 'MZ') return found
  throw systemdBootError('C2M_SYSTEMD_BOOT_PROGRAM', `${name} is no EFI program`, 'install its package anew')
}

async function fromGuest(rootfs: Rootfs, path: string): Promise<Uint8Array | undefined> {
  const target = await rootfs.resolve(path.slice(1))
  const entry = target === undefined ? undefined : await rootfs.stat(target)
  if (target === undefined || entry?.type !== 'file') return undefined
  const bytes = new Uint8Array(Math.min(entry.size, MAX_LOADER + 1))
  for await (const { offset, data } of rootfs.stream(target)) {
    if (offset + data.length > bytes.length) break
    bytes.set(data, offset)
  }
  return bytes
}

async function fromHost(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch(() => undefined)
}
