import type { DistroPlugin, MachineRequest, MachineTask } from '@c2m/plugin-api'
import { parseOsRelease } from '@c2m/linux'
import { memoryRootfs, type MemoryRootfs } from '../../../../packages/linux/src/testing/memory-rootfs.js'
import { plugin } from '../index.js'

export const alpine = plugin.contributes[0] as DistroPlugin

export function osRelease(version: string | undefined, more = ''): string {
  return `ID=alpine\nPRETTY_NAME="Alpine Linux v3"\n${version === undefined ? '' : `VERSION_ID=${version}\n`}${more}`
}

export function image(files: Record<string, string | undefined> = {}): MemoryRootfs {
  return memoryRootfs({ 'lib/apk/db/installed': '', ...files })
}

/** A task for the given release, with the warnings it gave. */
export async function taskFor(
  version: string | undefined,
  machine: Partial<MachineRequest> = {},
  rootfs = image(),
  target: MachineTask['target'] = 'vm',
): Promise<MachineTask & { readonly warnings: string[] }> {
  const warnings: string[] = []
  const match = await alpine.detect(parseOsRelease(osRelease(version)), rootfs)
  if (match === undefined) throw new Error('not detected')
  return {
    match,
    architecture: 'amd64',
    traits: alpine.traits(match, 'amd64', target),
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
      consoles: ['tty0', 'ttyS0,115200n8'],
      ...machine,
    },
    target,
    disk: { table: 'gpt', id: '', partitions: [] },
    warn: (message) => warnings.push(message),
    warnings,
  }
}

export async function packagesOf(task: MachineTask): Promise<readonly string[]> {
  const steps = await alpine.toMachine(task)
  return steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
}
