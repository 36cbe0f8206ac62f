/** The disk to be made, as far as it is known when the plan is made. */

export type PartitionTableType = 'gpt' | 'mbr'
export type DiskFormat = 'raw' | 'qcow2' | 'vdi' | 'vmdk' | 'vhd' | 'vhdx'
export type Firmware = 'bios' | 'uefi'

/** What a partition is for; the type GUID (GPT) and type byte (MBR) follow from it. */
export type PartitionRole = 'bios-boot' | 'esp' | 'boot' | 'swap' | 'root'

export interface PartitionRequest {
  readonly role: PartitionRole
  /** Bytes; a multiple of 1 MiB. The root takes what is left. */
  readonly size: number
  /** Where its file system is mounted; the tree below that path goes into it. */
  readonly mountpoint?: string
}

export interface PlannedPartition extends PartitionRequest {
  /** As the kernel and boot loaders count: from 1. */
  readonly number: number
  /** In 512-byte sectors. Known when planning: the root is last. */
  readonly firstLba: number
  readonly filesystem?: 'ext4' | 'vfat' | 'swap'
  /** File system's UUID as blkid prints it (vfat: 'XXXX-XXXX', upper case). */
  readonly uuid?: string
  /** File system's label. */
  readonly label?: string
  /** PARTUUID as blkid prints it (lower case; MBR: 'xxxxxxxx-0n'). */
  readonly partuuid: string
}

export interface DiskPlan {
  readonly table: PartitionTableType
  /** GPT disk GUID, or MBR disk signature as 8 hex digits. */
  readonly id: string
  /** GOARCH of the machine: on GPT the root's type follows from it; without it the root has the general Linux type. */
  readonly architecture?: string
  readonly partitions: readonly PlannedPartition[]
}
