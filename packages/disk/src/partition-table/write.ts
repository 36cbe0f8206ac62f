import type { DiskPlan, PartitionRole } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { SECTOR } from '../block/units.js'
import type { BlockTarget } from '../block/target.js'
import { encodeGpt } from './gpt.js'
import { MBR_TAIL_OFFSET, encodeMbr, encodeProtectiveMbr } from './mbr.js'

export interface WritePartitionTableOptions {
  /**
   * The partition that BIOS boot code should start: it gets the active flag (MBR) or the legacy-BIOS-bootable attribute
   * (GPT). Default: the one that holds /boot.
   */
  readonly bootable?: PartitionRole
}

/**
 * Writes the table of a plan onto a whole disk: bytes 440–511 of LBA 0 and, for GPT, both tables. Bytes 0–439 of LBA 0
 * belong to the boot code and stay as they are.
 * @throws C2M_DISK_SIZE when the disk is not a whole number of sectors, and what `partitionRange` throws
 */
export async function writePartitionTable(
  target: BlockTarget,
  plan: DiskPlan,
  options: WritePartitionTableOptions = {},
): Promise<void> {
  const { size } = target
  if (size % SECTOR !== 0) {
    throw new C2mError('C2M_DISK_SIZE', `a disk of ${size} bytes is not a whole number of 512-byte sectors`, {
      hint: 'choose a size in MiB',
    })
  }
  const bootable = options.bootable ?? bootPartition(plan)
  if (plan.table === 'mbr') return target.write(MBR_TAIL_OFFSET, encodeMbr(plan, size, bootable))
  const { primary, backup } = encodeGpt(plan, size, bootable)
  await target.write(MBR_TAIL_OFFSET, encodeProtectiveMbr(size))
  await target.write(SECTOR, primary)
  await target.write(size - backup.length, backup)
}

function bootPartition(plan: DiskPlan): PartitionRole {
  return plan.partitions.some(({ role }) => role === 'boot') ? 'boot' : 'root'
}
