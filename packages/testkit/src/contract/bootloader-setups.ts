import type { BootloaderPlugin, BootTarget, BootTask, PartitionRequest } from '@c2m/plugin-api'
import assert from 'node:assert/strict'
import { bootTask, diskPlan, distroTraits } from '../fixtures/boot-task.js'

/** A target that the boot loader accepts under some package manager. */
export interface Setup {
  readonly target: BootTarget
  readonly packageManager: string
}

const ARCHITECTURES = ['amd64', 'arm64', '386', 'riscv64', 'constructor']

export const ALL_TARGETS: readonly BootTarget[] = (['gpt', 'mbr'] as const).flatMap((table) =>
  ARCHITECTURES.flatMap((architecture) => [true, false].map((physical) => ({ table, architecture, physical }))),
)

export function acceptedSetups(loader: BootloaderPlugin, packageManagers: readonly string[]): readonly Setup[] {
  return packageManagers.flatMap((packageManager) =>
    ALL_TARGETS.filter((target) => loader.supports(target, distroTraits({ packageManager })).ok).map((target) => ({
      target,
      packageManager,
    })),
  )
}

/** What it asks for, after the core's own rules for disks. */
export function hasPartitions(loader: BootloaderPlugin, target: BootTarget): readonly PartitionRequest[] {
  const requests = loader.partitions(target)
  diskPlan(target.table, requests, target)
  for (const { role, mountpoint } of requests) {
    assert.ok(!['root', 'swap'].includes(role), `the ${role} partition is not for a boot loader to ask for`)
    if (mountpoint !== undefined) assert.match(mountpoint, /^(?:\/[\w.-]+)+$/, `mount point of the ${role} partition`)
  }
  const esp = requests.find(({ role }) => role === 'esp')
  if (loader.firmware.includes('uefi')) assert.ok(esp?.mountpoint, 'UEFI firmware starts nothing without a mounted ESP')
  return requests
}

/** The task of a machine with this setup; another seed gives other identifiers. */
export function taskOf(loader: BootloaderPlugin, { target, packageManager }: Setup, seed?: string): BootTask {
  const { architecture, table } = target
  const disk = diskPlan(table, loader.partitions(target), { architecture, seed })
  return bootTask({ architecture, packageManager, members: [loader.id], disk })
}

export function describeSetup({ target, packageManager }: Setup): string {
  return `${target.table}, ${target.architecture}, ${target.physical ? 'computer' : 'VM'}, ${packageManager}`
}
