import type { DistroPlugin, MachineRequest, MachineTask } from '@c2m/plugin-api'
import { parseOsRelease } from '@c2m/linux'
import { machineTask, type MachineTaskFixture } from '@c2m/testkit'
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
export function taskFor(
  version: string | undefined,
  machine: Partial<MachineRequest> = {},
  rootfs = image(),
  target: MachineTask['target'] = 'vm',
): Promise<MachineTaskFixture> {
  return machineTask(alpine, rootfs, { os: parseOsRelease(osRelease(version)), machine, target })
}

export async function packagesOf(task: MachineTask): Promise<readonly string[]> {
  const steps = await alpine.toMachine(task)
  return steps.flatMap((step) => (step.do === 'install' ? step.packages : []))
}
