import { checkNetwork, enableStep, resolverSteps } from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import type { DistroData } from '../distro.js'
import type { Release } from '../releases.js'
import type { NetworkManager } from './network-managers.js'

type Managers = Pick<DistroData, 'id' | 'networkManagers'>

export function networkPackages(data: Managers, release: Release, task: MachineTask): readonly string[] {
  return task.machine.network.mode === 'none' ? [] : managerOf(data, release, task).packages(release)
}

/** Network configuration, and the enabling of its units and of `more`. */
export function networkSteps(
  data: Managers,
  release: Release,
  task: MachineTask,
  more: readonly string[],
): readonly Step[] {
  const { network, dns } = task.machine
  checkNetwork(network, dns)
  const manager = managerOf(data, release, task)
  const configured = network.mode === 'none' ? resolverSteps(data.id, dns) : manager.steps(data.id, release, task)
  const units = [...(network.mode === 'none' ? [] : manager.units(release)), ...more]
  return units.length === 0 ? configured : [...configured, enableStep(data.id, units)]
}

/** @throws when the release cannot have the one that the user asks for */
function managerOf({ networkManagers }: Managers, release: Release, { machine }: MachineTask): NetworkManager {
  const ids = release.networkManagers
  const id = machine.networkManager ?? ids[0] ?? ''
  const manager = networkManagers[id]
  if (manager !== undefined && ids.includes(id)) return manager
  throw new Error(`'${id}' is no network manager for this release; there are ${ids.join(', ')}`)
}
