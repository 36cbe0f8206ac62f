import { usageError } from '@c2m/process'

export type DiskController = 'virtio' | 'ahci' | 'nvme' | 'pvscsi' | 'virtio-scsi'
export type NetworkCard = 'virtio' | 'e1000' | 'e1000e' | 'vmxnet3' | 'none'

export interface GuestHardware {
  readonly disk: DiskController
  readonly network: NetworkCard
}

/** QEMU's devices for the disk whose drive id is 'disk0'; the only one to boot from (boot index 0 is
 * left to a kernel given with -kernel). */
const DISKS: Readonly<Record<DiskController, readonly string[]>> = {
  virtio: ['virtio-blk-pci,drive=disk0,bootindex=1'],
  ahci: ['ich9-ahci,id=controller0', 'ide-hd,bus=controller0.0,drive=disk0,bootindex=1'],
  nvme: ['nvme,drive=disk0,serial=c2m,bootindex=1'],
  pvscsi: ['pvscsi,id=controller0', 'scsi-hd,bus=controller0.0,drive=disk0,bootindex=1'],
  'virtio-scsi': ['virtio-scsi-pci,id=controller0', 'scsi-hd,bus=controller0.0,drive=disk0,bootindex=1'],
}

/** An empty ROM file: no boot from the network, and no package with boot ROMs is needed. */
const NETWORKS: Readonly<Record<NetworkCard, readonly string[]>> = {
  virtio: ['virtio-net-pci,netdev=net0,romfile='],
  e1000: ['e1000,netdev=net0,romfile='],
  e1000e: ['e1000e,netdev=net0,romfile='],
  vmxnet3: ['vmxnet3,netdev=net0,romfile='],
  none: [],
}

export const DEFAULT_HARDWARE: GuestHardware = { disk: 'virtio', network: 'virtio' }

/** @throws C2M_QEMU_HARDWARE for a name that is none of the above */
export function hardwareArguments(hardware: GuestHardware): string[] {
  return [
    ...lookUp(DISKS, hardware.disk, 'disk controller'),
    ...lookUp(NETWORKS, hardware.network, 'network card'),
  ].flatMap((device) => ['-device', device])
}

function lookUp(table: Readonly<Record<string, readonly string[]>>, name: string, what: string): readonly string[] {
  if (Object.hasOwn(table, name)) return table[name] ?? []
  throw usageError('C2M_QEMU_HARDWARE', `there is no ${what} '${name}'`, `known are: ${Object.keys(table).join(', ')}`)
}
