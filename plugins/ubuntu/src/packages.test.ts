import { describe, expect, it } from 'vitest'
import type { MachineTask } from '@c2m/plugin-api'
import { RELEASES } from './releases.js'
import { image, taskFor, ubuntu } from './testing/task.js'

async function packagesOf(task: MachineTask): Promise<readonly string[]> {
  const steps = await ubuntu.toMachine(task)
  return steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
}

const SOURCES = {
  'etc/apt/sources.list.d/ubuntu.sources': 'Types: deb\nURIs: http://x/\nSuites: noble\nComponents: main\n',
}

describe('packages', () => {
  it.each([
    ['24.04', ['linux-image-virtual', 'netplan.io', 'systemd-resolved', 'zstd', 'systemd-timesyncd', 'fdisk']],
    ['22.04', ['linux-image-virtual', 'netplan.io', 'systemd-timesyncd', 'fdisk']],
    ['17.10', ['linux-image-virtual', 'nplan']],
    ['16.04', ['linux-image-virtual', 'ifupdown', 'isc-dhcp-client']],
  ])('of %s are', async (version, wanted) => {
    const packages = await packagesOf(await taskFor(version))
    const parts = [
      ...new Set(packages.filter((name) => /linux-image|plan|resolved|zstd|timesyncd|fdisk|ifup|dhc/.test(name))),
    ]
    expect(parts.sort()).toEqual([...wanted].sort())
  })

  it('follow the kernel that is asked for, and the target', async () => {
    const kernel = async (flavour: string, version = '24.04') =>
      (await packagesOf(await taskFor(version, { kernel: flavour }))).filter((name) => name.startsWith('linux-'))
    expect(await kernel('generic')).toEqual(['linux-image-generic'])
    expect(await kernel('generic-hwe')).toEqual(['linux-image-generic-hwe-24.04'])
    expect(await kernel('virtual-hwe', '20.04')).toEqual(['linux-image-virtual-hwe-20.04'])
    await expect(kernel('virtual-hwe', '23.10')).rejects.toThrow(/there are virtual, generic$/)
    const physical = await packagesOf(await taskFor('24.04', {}, image(SOURCES), 'physical'))
    expect(physical).toEqual(expect.arrayContaining(['linux-image-generic', 'linux-firmware', 'intel-microcode']))
    expect(physical).not.toContain('linux-image-virtual')
  })

  it('are refused where there is no kernel', async () => {
    const { match } = await taskFor('24.04')
    expect(() => ubuntu.traits(match, '386', 'vm')).toThrow(/no kernel package for the architecture 386/)
    expect(ubuntu.traits((await taskFor('16.04')).match, '386', 'vm').kernels[0]?.id).toBe('virtual')
    expect(ubuntu.traits(match, 'riscv64', 'vm').kernels.map(({ id }) => id)).toEqual(['generic'])
  })

  it('find a disk of every format with every kernel', async () => {
    const { traits } = await taskFor('24.04')
    expect(traits.kernels.filter(({ unsuitable }) => unsuitable !== undefined)).toEqual([])
  })
})

describe('releases', () => {
  it('are in their order, and name network managers that there are', () => {
    const numbers = RELEASES.map(({ version: [year = 0, month = 0] }) => year * 100 + month)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    expect(RELEASES.map(({ networkManagers: [first] }) => first)).toEqual([
      ...Array<string>(3).fill('ifupdown'),
      ...Array<string>(RELEASES.length - 3).fill('netplan'),
    ])
  })
  it('have file systems that their own tools check', async () => {
    expect((await taskFor('16.04')).traits.ext4Features).not.toContain('metadata_csum')
    expect((await taskFor('16.10')).traits.ext4Features).toContain('metadata_csum')
  })
})
