import type { PartitionRole } from '@c2m/plugin-api'

/** Root partitions by GOARCH: Discoverable Partitions Specification (uapi-group.org), table of type UUIDs. */
const ROOT_GUIDS: ReadonlyMap<string, string> = new Map([
  ['386', '44479540-f297-41b2-9af7-d131d5f0458a'],
  ['amd64', '4f68bce3-e8cd-4db1-96e7-fbcaf984b709'],
  ['arm', '69dad710-2ce4-4e3c-b16c-21a1d49abed3'],
  ['arm64', 'b921b045-1df0-41c3-af44-4c6f280d3fae'],
  ['ppc64le', 'c31c45e6-3f39-412e-80fb-4809c4980599'],
  ['riscv64', '72ec70a6-cf74-40e6-bd49-4bda08e8f224'],
  ['s390x', '5eead9a9-fe09-4a1e-a1d7-520d00531306'],
])

/** "Linux filesystem data": a root of an architecture without a type of its own. */
const LINUX_GUID = '0fc63daf-8483-4772-8e79-3d69d8477de4'

const ROLE_GUIDS: Readonly<Record<Exclude<PartitionRole, 'root'>, string>> = {
  'bios-boot': '21686148-6449-6e6f-744e-656564454649',
  esp: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  boot: 'bc13c2ff-59e6-4262-a352-b275fd6f7172',
  swap: '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f',
}

/** GPT type GUID in lower case. */
export function typeGuid(role: PartitionRole, architecture: string | undefined): string {
  if (role !== 'root') return ROLE_GUIDS[role]
  return ROOT_GUIDS.get(architecture ?? '') ?? LINUX_GUID
}

/** GPT partition name, 36 UTF-16 code units at most. */
export function partitionName(role: PartitionRole): string {
  const names: Record<PartitionRole, string> = {
    'bios-boot': 'BIOS boot',
    esp: 'EFI system',
    boot: 'boot',
    swap: 'swap',
    root: 'root',
  }
  return names[role]
}

/** MBR type byte. */
export function typeByte(role: Exclude<PartitionRole, 'bios-boot'>): number {
  return { esp: 0xef, boot: 0x83, swap: 0x82, root: 0x83 }[role]
}

/** What a partition found on a disk is for, as far as its type says; most types say no more than "Linux". */
export function roleOfGuid(guid: string): PartitionRole | undefined {
  if ([...ROOT_GUIDS.values()].includes(guid)) return 'root'
  return (['bios-boot', 'esp', 'boot', 'swap'] as const).find((role) => ROLE_GUIDS[role] === guid)
}

export function roleOfByte(type: number): PartitionRole | undefined {
  if (type === 0xef) return 'esp'
  return type === 0x82 ? 'swap' : undefined
}

/** MBR types of containers of logical partitions: CHS, LBA, Linux. */
export function isExtended(type: number): boolean {
  return type === 0x05 || type === 0x0f || type === 0x85
}
