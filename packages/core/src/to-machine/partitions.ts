import type { BootTarget, BootloaderPlugin, PartitionRequest } from '@c2m/plugin-api'
import type { Provided } from '../plugins/registry.js'

const MIB = 1024 * 1024

/** What the boot loaders ask for, joined by role, with the user's swap and /boot and the root, which takes the rest. */
export function partitionRequests(
  bootloaders: readonly Provided<BootloaderPlugin>[],
  target: BootTarget,
  sizes: { readonly swapSize: number; readonly bootSize: number },
): readonly PartitionRequest[] {
  const byRole = new Map<string, PartitionRequest>()
  const add = (request: PartitionRequest) => {
    const there = byRole.get(request.role)
    if (there === undefined || request.size > there.size) byRole.set(request.role, request)
  }
  for (const { contribution } of bootloaders) for (const request of contribution.partitions(target)) add(request)
  if (sizes.bootSize > 0) add({ role: 'boot', size: roundUp(sizes.bootSize), mountpoint: '/boot' })
  if (sizes.swapSize > 0) add({ role: 'swap', size: roundUp(sizes.swapSize) })
  add({ role: 'root', size: 0, mountpoint: '/' })
  return [...byRole.values()]
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB
}
