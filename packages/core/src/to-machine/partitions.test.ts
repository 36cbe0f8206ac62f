import type { BootTarget, BootloaderPlugin, PartitionRequest } from '@c2m/plugin-api'
import { describe, expect, it } from 'vitest'
import type { Provided } from '../plugins/registry.js'
import { partitionRequests } from './partitions.js'

const MIB = 2 ** 20
const target: BootTarget = { table: 'gpt', architecture: 'amd64', physical: true }
const none = { swapSize: 0, bootSize: 0, espSize: 0 }

function bootloader(...partitions: PartitionRequest[]): Provided<BootloaderPlugin> {
  return { contribution: { partitions: () => partitions } } as unknown as Provided<BootloaderPlugin>
}

const esp: PartitionRequest = { role: 'esp', size: 512 * MIB, mountpoint: '/boot/efi' }

describe('partitions', () => {
  it('are what boot loaders and user ask for, the larger of two', () => {
    const loaders = [bootloader({ ...esp, size: 64 * MIB }), bootloader(esp)]
    expect(partitionRequests(loaders, target, { ...none, swapSize: MIB + 1 })).toEqual([
      esp,
      { role: 'swap', size: 2 * MIB },
      { role: 'root', size: 0, mountpoint: '/' },
    ])
  })

  it('have an EFI system partition of the size that the user gives', () => {
    const sized = (espSize: number) => partitionRequests([bootloader(esp)], target, { ...none, espSize })[0]
    expect(sized(100 * MIB + 1)).toEqual({ ...esp, size: 101 * MIB })
    expect(sized(1024 * MIB)).toEqual({ ...esp, size: 1024 * MIB })
    expect(() => sized(16 * MIB)).toThrow('an EFI system partition of 16 MiB is too small for FAT32')
  })

  it('have none that only the user asks for', () => {
    expect(() => partitionRequests([bootloader()], target, { ...none, espSize: 64 * MIB })).toThrow(
      'this disk has no EFI system partition',
    )
  })
})
