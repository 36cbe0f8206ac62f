import type { DistroPlugin, DistroTraits, InstalledKernel } from '@c2m/plugin-api'
import { CleanupStack } from '@c2m/process'
import { describe, expect, it } from 'vitest'
import { memoryRootfs } from '../../../linux/src/testing/memory-rootfs.js'
import { defaultMachine, type ContainerToVmRequest } from '../request/container-to-vm.js'
import { chooseKernel } from './kernel.js'

const FLAVOURS = [
  { id: 'full', packages: ['linux'] },
  { id: 'small', packages: ['linux-small'], unsuitable: { formats: ['vdi'], because: 'it has no driver' } },
] as const

interface Asked {
  readonly kernel?: string
  readonly kernelFile?: string
  readonly traits?: Partial<DistroTraits>
  readonly installed?: readonly InstalledKernel[]
}

async function choose({ kernel, kernelFile, traits = {}, installed = [] }: Asked, warnings: string[] = []) {
  await using cleanup = new CleanupStack()
  const request = { format: 'vdi', kernelFile, machine: { ...defaultMachine, kernel } } as ContainerToVmRequest
  const distro = { kernels: async () => installed } as unknown as DistroPlugin
  const all = { kernels: FLAVOURS, ...traits } as unknown as DistroTraits
  const choice = { request, distro, traits: all, architecture: 'amd64', rootfs: memoryRootfs() }
  return chooseKernel(choice, cleanup, (message) => warnings.push(message))
}

describe('the choice of a kernel', () => {
  it("is the distro's first flavour, or the one that is named, with a word on its limits", async () => {
    const warnings: string[] = []
    expect(await choose({}, warnings)).toBeUndefined()
    expect(warnings).toEqual([])
    expect(await choose({ kernel: 'small' }, warnings)).toBeUndefined()
    expect(warnings).toEqual(['the small kernel and a vdi disk: it has no driver'])
  })
  it('may be left to the image when the distro has no packages', async () => {
    const installed = [{ version: '1', kernel: '/boot/vmlinuz-1' }]
    expect(await choose({ traits: { kernels: [] }, installed })).toBeUndefined()
  })
  it.each<[string, Asked]>([
    ['C2M_KERNEL_UNKNOWN', { kernel: 'other' }],
    ['C2M_KERNEL_UNKNOWN', { kernel: 'other', traits: { kernels: [], takesKernel: true } }],
    ['C2M_KERNEL_NOT_TAKEN', { kernelFile: './vmlinuz' }],
    ['C2M_NO_KERNEL', { traits: { kernels: [], takesKernel: true } }],
    ['C2M_FILE_ENOENT', { kernelFile: '/not/there', traits: { takesKernel: true } }],
  ])('is refused with %s', async (code, asked) => {
    await expect(choose(asked)).rejects.toMatchObject({ code })
  })
})
