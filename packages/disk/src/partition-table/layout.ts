import type { DiskPlan, PartitionRole } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import { ALIGNMENT, SECTOR, alignDown, alignUp } from '../block/units.js'
import { BACKUP_SECTORS } from './gpt-layout.js'

/** Sectors that an MBR can count: its fields have 32 bits. */
export const MBR_MAX_SECTORS = 0xffffffff

/**
 * Bytes of a disk whose root has at least `rootBytes`: a multiple of 1 MiB, with room for GPT's backup at the end.
 *
 *     | 1 MiB: table, boot code | partition 1 | … | root, to the last whole MiB | GPT: 1 MiB with the backup table |
 */
export function diskSize(plan: DiskPlan, rootBytes: number): number {
  const root = find(plan, 'root').firstLba * SECTOR + alignUp(rootBytes, ALIGNMENT)
  return plan.table === 'gpt' ? root + ALIGNMENT : root
}

/**
 * Where a partition lies on a disk of `size` bytes; the root reaches to the last whole MiB before GPT's backup.
 * @throws C2M_DISK_NO_PARTITION when the plan has none of this role, C2M_DISK_TOO_SMALL when nothing is left for the root,
 *   C2M_DISK_TOO_LARGE when the table cannot count to its end
 */
export function partitionRange(plan: DiskPlan, size: number, role: PartitionRole): { offset: number; size: number } {
  const partition = find(plan, role)
  const offset = partition.firstLba * SECTOR
  if (role !== 'root') return { offset, size: partition.size }
  const usable = plan.table === 'gpt' ? size - BACKUP_SECTORS * SECTOR : size
  const end = alignDown(usable, ALIGNMENT)
  if (end <= offset) {
    throw new C2mError('C2M_DISK_TOO_SMALL', `a disk of ${size} bytes has no room for a root partition`, {
      hint: `it needs more than ${diskSize(plan, 1) / ALIGNMENT} MiB`,
      exitCode: ExitCode.usage,
    })
  }
  if (plan.table === 'mbr' && end / SECTOR > MBR_MAX_SECTORS) {
    throw new C2mError('C2M_DISK_TOO_LARGE', `an MBR disk ends at 2 TiB, this one would have ${size} bytes`, {
      hint: 'use GPT, or a smaller disk',
      exitCode: ExitCode.usage,
    })
  }
  return { offset, size: end - offset }
}

function find(plan: DiskPlan, role: PartitionRole): DiskPlan['partitions'][number] {
  const partition = plan.partitions.find((candidate) => candidate.role === role)
  if (partition !== undefined) return partition
  throw new C2mError('C2M_DISK_NO_PARTITION', `the disk has no ${role} partition`, {
    hint: `it has ${plan.partitions.map((each) => each.role).join(', ')}`,
  })
}
