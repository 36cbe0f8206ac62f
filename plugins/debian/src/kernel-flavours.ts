import type { KernelFlavour } from '@c2m/plugin-api'

/** Seen in the module lists of linux-image-6.1.0-56-cloud-amd64: hv_storvsc, virtio, nvme, xen and vmxnet3 are there. */
const NO_DISK_THERE = {
  formats: ['vdi', 'vmdk'],
  because: "it has no driver for SATA and VMware's SCSI disks, nor for the e1000 network card",
} as const

const CLOUD = (packageName: string): KernelFlavour => ({
  id: 'cloud',
  packages: [packageName],
  unsuitable: NO_DISK_THERE,
})

/** Debian's kernel packages by GOARCH; the first is the default. */
export const KERNELS: Readonly<Record<string, readonly KernelFlavour[]>> = {
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

/** @throws when the distro has no kernel for the architecture */
export function kernelFlavours(
  kernels: Readonly<Record<string, readonly KernelFlavour[]>>,
  architecture: string,
): readonly KernelFlavour[] {
  const flavours = Object.hasOwn(kernels, architecture) ? kernels[architecture] : undefined
  if (flavours !== undefined) return flavours
  throw new Error(
    `there is no kernel package for the architecture ${architecture}; there is for ${Object.keys(kernels).join(', ')}`,
  )
}
