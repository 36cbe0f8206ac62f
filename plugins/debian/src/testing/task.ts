import type { DistroPlugin, MachineRequest, MachineTask } from '@c2m/plugin-api'
import { parseOsRelease } from '@c2m/linux'
import { memoryRootfs, type MemoryRootfs } from '../../../../packages/linux/src/testing/memory-rootfs.js'
import { plugin } from '../index.js'

export const debian = plugin.contributes[0] as DistroPlugin

export function osRelease(version: string | undefined, more = ''): string {
  return `ID=debian\nPRETTY_NAME="Debian"\n${version === undefined ? '' : `VERSION_ID="${version}"\n`}${more}`
}

export function image(files: Record<string, string | undefined> = {}): MemoryRootfs {
  return memoryRootfs({ 'var/lib/dpkg/status': '', ...files })
}

/** A task for Debian of the given release, with the warnings it gave. */
export async function taskFor(
  version: string | undefined,
  machine: Partial<MachineRequest> = {},
  rootfs = image(),
): Promise<MachineTask & { readonly warnings: string[] }> {
  const warnings: string[] = []
  const match = await debian.detect(parseOsRelease(osRelease(version)), rootfs)
  if (match === undefined) throw new Error('not detected')
  return {
    match,
    architecture: 'amd64',
    traits: debian.traits(match, 'amd64'),
    image: { env: [], entrypoint: [], cmd: [], exposedPorts: [], labels: {} },
    rootfs,
    machine: {
      hostname: 'box',
      sshKeys: [],
      users: [],
      network: { mode: 'dhcp' },
      dns: [],
      packages: [],
      cmdline: [],
      consoles: [],
      ...machine,
    },
    target: 'vm',
    disk: { table: 'gpt', id: '', partitions: [] },
    warn: (message) => warnings.push(message),
    warnings,
  }
}

export async function packagesOf(task: MachineTask): Promise<readonly string[]> {
  const steps = await debian.toMachine(task)
  return steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
}
