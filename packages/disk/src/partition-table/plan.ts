import type { DiskPlan, PartitionRequest, PartitionRole, PartitionTableType, PlannedPartition } from '@c2m/plugin-api'
import { C2mError, ExitCode } from '@c2m/process'
import { ALIGNMENT, SECTOR } from '../block/units.js'
import { uuidFromRandom } from './guid.js'

export interface PlanDiskOptions {
  readonly table: PartitionTableType
  /** GOARCH: chooses the root's type on GPT. */
  readonly architecture?: string
  /** One of each role at most, exactly one root; its size is what is left of the disk. */
  readonly requests: readonly PartitionRequest[]
  /** Bytes that depend on nothing but the label (and the conversion's seed): all identifiers are made of them. */
  random(label: string, length: number): Uint8Array
}

const ORDER: readonly PartitionRole[] = ['bios-boot', 'esp', 'boot', 'swap', 'root']

/** File system and its label (vfat: upper case, as firmware expects). The BIOS boot partition has none. */
const CONTENT: Readonly<Record<PartitionRole, Pick<PlannedPartition, 'filesystem' | 'label'>>> = {
  'bios-boot': {},
  esp: { filesystem: 'vfat', label: 'EFI' },
  boot: { filesystem: 'ext4', label: 'boot' },
  swap: { filesystem: 'swap', label: 'swap' },
  root: { filesystem: 'ext4', label: 'root' },
}

/**
 * Numbers, places and identifiers of all partitions: everything about the disk but its size, since the root is last.
 * A BIOS boot partition is left out on MBR, where boot code lives in the gap before the first partition; one of each
 * other role are the four that an MBR has room for.
 * @throws C2M_DISK_PLAN for a role asked for twice, a missing root, a size that is no multiple of 1 MiB (exit code 2)
 */
export function planDisk(options: PlanDiskOptions): DiskPlan {
  const { table, architecture } = options
  const random = (label: string, length: number) => options.random(label, length)
  const requests = inOrder(options.requests).filter(({ role }) => table === 'gpt' || role !== 'bios-boot')
  const id = table === 'gpt' ? uuidFromRandom(random('disk', 16)) : diskSignature(random('disk', 4))
  let firstLba = ALIGNMENT / SECTOR
  const partitions: PlannedPartition[] = []
  for (const request of requests) {
    const number = partitions.length + 1
    partitions.push({
      ...request,
      ...CONTENT[request.role],
      number,
      firstLba,
      uuid: filesystemUuid(request.role, random),
      partuuid:
        table === 'gpt'
          ? uuidFromRandom(random(`partition/${request.role}`, 16))
          : `${id}-${number.toString(16).padStart(2, '0')}`,
    })
    firstLba += request.size / SECTOR
  }
  return { table, id, ...(architecture === undefined ? {} : { architecture }), partitions }
}

function inOrder(requests: readonly PartitionRequest[]): PartitionRequest[] {
  for (const { role, size } of requests) {
    if (requests.filter((other) => other.role === role).length > 1) {
      throw planError(`the ${role} partition is asked for more than once`)
    }
    if (!Number.isSafeInteger(size) || size < 0 || size % ALIGNMENT !== 0 || (size === 0 && role !== 'root')) {
      throw planError(`the ${role} partition has ${size} bytes, which is no multiple of 1 MiB`)
    }
  }
  if (!requests.some(({ role }) => role === 'root')) throw planError('the disk has no root partition')
  return ORDER.flatMap((role) => requests.filter((request) => request.role === role))
}

function filesystemUuid(role: PartitionRole, random: PlanDiskOptions['random']): string | undefined {
  const { filesystem } = CONTENT[role]
  if (filesystem === undefined) return undefined
  if (filesystem !== 'vfat') return uuidFromRandom(random(`filesystem/${role}`, 16))
  const hex = Buffer.from(random(`filesystem/${role}`, 4))
    .toString('hex')
    .toUpperCase()
  return `${hex.slice(0, 4)}-${hex.slice(4)}`
}

/** Zero means "no signature", so the one seed in four thousand million that gives it gets another. */
function diskSignature(bytes: Uint8Array): string {
  const signature = Buffer.from(bytes).readUInt32BE(0)
  return (signature === 0 ? 1 : signature).toString(16).padStart(8, '0')
}

function planError(message: string): C2mError {
  return new C2mError('C2M_DISK_PLAN', message, {
    hint: 'ask for each role once, in whole MiB, and for one root',
    exitCode: ExitCode.usage,
  })
}
