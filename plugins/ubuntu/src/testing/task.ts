import type { DistroPlugin, MachineRequest, MachineTask } from '@c2m/plugin-api'
import { parseOsRelease } from '@c2m/linux'
import { machineTask, type MachineTaskFixture } from '@c2m/testkit'
import { memoryRootfs, type MemoryRootfs } from '../../../../packages/linux/src/testing/memory-rootfs.js'
import { plugin } from '../index.js'

export const ubuntu = plugin.contributes[0] as DistroPlugin

export function osRelease(version: string): string {
  return `ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu ${version}"\nVERSION_ID="${version}"\n`
}

export function image(files: Record<string, string | undefined> = {}): MemoryRootfs {
  return memoryRootfs({ 'var/lib/dpkg/status': '', ...files })
}

/** A task for Ubuntu of the given release, with the warnings it gave. */
export function taskFor(
  version: string,
  machine: Partial<MachineRequest> = {},
  rootfs = image(),
  target: MachineTask['target'] = 'vm',
): Promise<MachineTaskFixture> {
  return machineTask(ubuntu, rootfs, { os: parseOsRelease(osRelease(version)), machine, target })
}
