import { createHash } from 'node:crypto'
import type { DiskPlan, PartitionRequest, PartitionTableType } from '@c2m/plugin-api'
import { planDisk } from '../partition-table/plan.js'

export const MIB = 1024 * 1024

export function random(label: string, length: number): Uint8Array {
  return createHash('sha512').update(label).digest().subarray(0, length)
}

export const requests: Readonly<Record<PartitionRequest['role'], PartitionRequest>> = {
  'bios-boot': { role: 'bios-boot', size: MIB },
  esp: { role: 'esp', size: 64 * MIB, mountpoint: '/boot/efi' },
  boot: { role: 'boot', size: 32 * MIB, mountpoint: '/boot' },
  swap: { role: 'swap', size: 16 * MIB },
  root: { role: 'root', size: 0, mountpoint: '/' },
}

export function plan(
  table: PartitionTableType,
  roles: readonly PartitionRequest['role'][],
  architecture = 'amd64',
): DiskPlan {
  return planDisk({ table, architecture, requests: roles.map((role) => requests[role]), random })
}
