import type { DiskFormat, KernelFlavour, MachineTarget } from '@c2m/plugin-api'
import type { Release } from './releases.js'

/** 'virt': a virtual machine's drivers; 'lts': all drivers. */
export type FlavourId = 'virt' | 'lts'
export type KernelPackages = Readonly<Record<string, readonly FlavourId[]>>

/** By GOARCH; the first is a virtual machine's default. */
export const KERNELS: KernelPackages = {
  amd64: ['virt', 'lts'],
  arm64: ['virt', 'lts'],
  '386': ['virt', 'lts'],
  arm: ['lts'],
  ppc64le: ['lts'],
  s390x: ['lts'],
  riscv64: ['lts'],
  loong64: ['lts'],
}

const EVERY_FORMAT: readonly DiskFormat[] = ['raw', 'qcow2', 'vdi', 'vmdk', 'vhd', 'vhdx']
const NO_HARDWARE = { formats: EVERY_FORMAT, because: 'it has drivers for virtual machines only' } as const

/**
 * The kernel with all drivers wants firmware. No virtual machine needs any: linux-firmware-none is the package that says so;
 * on metal, where this kernel is the default, any may be needed.
 * @throws when the distro has no kernel for the architecture
 */
export function kernelFlavours(
  kernels: KernelPackages,
  { fullKernel }: Release,
  architecture: string,
  target: MachineTarget,
): readonly KernelFlavour[] {
  const flavours = Object.hasOwn(kernels, architecture) ? kernels[architecture] : undefined
  if (flavours === undefined) {
    throw new Error(
      `there is no kernel package for the architecture ${architecture}; there is for ${Object.keys(kernels).join(', ')}`,
    )
  }
  const full = { id: 'lts', packages: [fullKernel, target === 'vm' ? 'linux-firmware-none' : 'linux-firmware'] }
  const small = { id: 'virt', packages: ['linux-virt'] }
  if (target === 'vm') return flavours.map((id) => (id === 'virt' ? small : full))
  return flavours.includes('virt') ? [full, { ...small, unsuitable: NO_HARDWARE }] : [full]
}
