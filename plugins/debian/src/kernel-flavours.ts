import type { DiskFormat, KernelFlavour, MachineTarget } from '@c2m/plugin-api'

/** A kernel of a distro's data. */
export interface KernelData extends KernelFlavour {
  /** It has drivers for virtual machines only. */
  readonly virtual?: boolean
}

/** Kernel packages by GOARCH; the first is the default of a virtual machine. */
export type KernelTable = Readonly<Record<string, readonly KernelData[]>>

/** Seen in the module lists of linux-image-6.1.0-56-cloud-amd64: hv_storvsc, virtio, nvme, xen and vmxnet3 are there. */
const NO_DISK_THERE = {
  formats: ['vdi', 'vmdk'],
  because: "it has no driver for SATA and VMware's SCSI disks, nor for the e1000 network card",
} as const

const EVERY_FORMAT: readonly DiskFormat[] = ['raw', 'qcow2', 'vdi', 'vmdk', 'vhd', 'vhdx']
const NO_HARDWARE = { formats: EVERY_FORMAT, because: 'it has drivers for virtual machines only' } as const

const CLOUD = (packageName: string): KernelData => ({
  id: 'cloud',
  packages: [packageName],
  unsuitable: NO_DISK_THERE,
  virtual: true,
})

/** Debian's. */
export const KERNELS: KernelTable = {
  amd64: [{ id: 'generic', packages: ['linux-image-amd64'] }, CLOUD('linux-image-cloud-amd64')],
  arm64: [{ id: 'generic', packages: ['linux-image-arm64'] }, CLOUD('linux-image-cloud-arm64')],
  '386': [
    { id: 'generic', packages: ['linux-image-686-pae'] },
    { id: '686', packages: ['linux-image-686'] },
  ],
  arm: [
    { id: 'generic', packages: ['linux-image-armmp'] },
    { id: 'lpae', packages: ['linux-image-armmp-lpae'] },
  ],
  ppc64le: [{ id: 'generic', packages: ['linux-image-powerpc64le'] }],
  riscv64: [{ id: 'generic', packages: ['linux-image-riscv64'] }],
  s390x: [{ id: 'generic', packages: ['linux-image-s390x'] }],
}

/**
 * On metal, the default is the first kernel with drivers for it.
 * @throws when the distro has no kernel for the architecture
 */
export function kernelFlavours(
  kernels: KernelTable,
  architecture: string,
  target: MachineTarget,
): readonly KernelFlavour[] {
  const flavours = Object.hasOwn(kernels, architecture) ? kernels[architecture] : undefined
  if (flavours === undefined) {
    throw new Error(
      `there is no kernel package for the architecture ${architecture}; there is for ${Object.keys(kernels).join(', ')}`,
    )
  }
  if (target === 'vm') return flavours
  const others = flavours.filter(({ virtual }) => virtual === true)
  return [
    ...flavours.filter((flavour) => !others.includes(flavour)),
    ...others.map((flavour) => ({ ...flavour, unsuitable: NO_HARDWARE })),
  ]
}
