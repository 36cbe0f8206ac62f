import type { BootTarget, BootloaderPlugin, PartitionRequest } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import type { Provided } from '../plugins/registry.js'

const MIB = 1024 * 1024
/** With fewer clusters than this has room for, a file system is no FAT32. */
const LEAST_ESP = 33 * MIB

/**
 * What the boot loaders ask for, joined by role, with the user's swap and /boot and the root, which takes the rest.
 * @throws C2M_ESP_SIZE
 */
export function partitionRequests(
  bootloaders: readonly Provided<BootloaderPlugin>[],
  target: BootTarget,
  sizes: { readonly swapSize: number; readonly bootSize: number; readonly espSize: number },
): readonly PartitionRequest[] {
  const byRole = new Map<string, PartitionRequest>()
  const add = (request: PartitionRequest) => {
    const there = byRole.get(request.role)
    if (there === undefined || request.size > there.size) byRole.set(request.role, request)
  }
  for (const { contribution } of bootloaders) for (const request of contribution.partitions(target)) add(request)
  if (sizes.espSize > 0) byRole.set('esp', espOf(byRole.get('esp'), roundUp(sizes.espSize)))
  if (sizes.bootSize > 0) add({ role: 'boot', size: roundUp(sizes.bootSize), mountpoint: '/boot' })
  if (sizes.swapSize > 0) add({ role: 'swap', size: roundUp(sizes.swapSize) })
  add({ role: 'root', size: 0, mountpoint: '/' })
  return [...byRole.values()]
}

function espOf(asked: PartitionRequest | undefined, size: number): PartitionRequest {
  if (asked === undefined) {
    throw usageError('C2M_ESP_SIZE', 'this disk has no EFI system partition', 'leave --esp-size out')
  }
  if (size >= LEAST_ESP) return { ...asked, size }
  throw usageError(
    'C2M_ESP_SIZE',
    `an EFI system partition of ${size / MIB} MiB is too small for FAT32`,
    `give it ${LEAST_ESP / MIB} MiB or more`,
  )
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB
}
