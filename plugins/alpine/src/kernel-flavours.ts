import type { KernelFlavour } from '@c2m/plugin-api'
import type { Release } from './releases.js'

/** 'virt': a virtual machine's drivers; 'lts': all drivers. */
export type FlavourId = 'virt' | 'lts'
export type KernelPackages = Readonly<Record<string, readonly FlavourId[]>>

/** By GOARCH; the first is the default. */
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

/**
 * The kernel with all drivers wants firmware, of which no virtual machine needs any: linux-firmware-none is the package that
 * says so.
 * @throws when the distro has no kernel for the architecture
 */
export function kernelFlavours(
  kernels: KernelPackages,
  { fullKernel }: Release,
  architecture: string,
): readonly KernelFlavour[] {
  const flavours = Object.hasOwn(kernels, architecture) ? kernels[architecture] : undefined
  if (flavours === undefined) {
    throw new Error(
      `there is no kernel package for the architecture ${architecture}; there is for ${Object.keys(kernels).join(', ')}`,
    )
  }
  return flavours.map((id) => ({
    id,
    packages: id === 'virt' ? ['linux-virt'] : [fullKernel, 'linux-firmware-none'],
  }))
}

/** On a machine of metal every driver may be wanted, with its firmware. */
export function physicalKernel({ fullKernel }: Release): readonly string[] {
  return [fullKernel, 'linux-firmware']
}
