import { networkCardsUnitSteps, plainInterfacesFile } from '@c2m/linux'
import {
  fixedResolverSteps,
  IFUPDOWN,
  interfacesStep,
  NETWORK_MANAGER,
  NETWORKD,
  type NetworkManager,
  type NetworkManagers,
} from '@c2m/plugin-debian'
import type { Step } from '@c2m/plugin-api'
import { NETPLAN, otherNetplansStep } from './netplan.js'

/** Without it, Ubuntu's NetworkManager leaves Ethernet cards to netplan: the file takes the place of one in /usr/lib with that name. */
function globallyManaged(owner: string): Step {
  return {
    id: `${owner}/managed-devices`,
    title: 'let NetworkManager manage every network card',
    phase: 'configure',
    do: 'write',
    path: '/etc/NetworkManager/conf.d/10-globally-managed-devices.conf',
    mode: 0o644,
    content: "# every device is NetworkManager's\n",
  }
}

const networkManager: NetworkManager = {
  ...NETWORK_MANAGER,
  steps: (owner, release, task) => [
    otherNetplansStep(owner),
    globallyManaged(owner),
    ...NETWORK_MANAGER.steps(owner, release, task),
  ],
}

const networkd: NetworkManager = {
  ...NETWORKD,
  steps: (owner, release, task) => [otherNetplansStep(owner), ...NETWORKD.steps(owner, release, task)],
}

/** Before ifupdown 0.8.20 there are no patterns for names of cards: something has to find the card's name. */
const ifupdown: NetworkManager = {
  packages: (release) =>
    release.ifupdownDhcp === undefined ? ['ifupdown', 'isc-dhcp-client'] : IFUPDOWN.packages(release),
  steps: (owner, release, task) => {
    if (release.ifupdownDhcp !== undefined) return [otherNetplansStep(owner), ...IFUPDOWN.steps(owner, release, task)]
    const { network, dns } = task.machine
    return [
      interfacesStep(owner, network.mode, plainInterfacesFile(network, dns)),
      ...networkCardsUnitSteps(owner, network),
      ...fixedResolverSteps(owner, release, network.mode, dns),
    ]
  },
  units: IFUPDOWN.units,
}

export const NETWORK_MANAGERS: NetworkManagers = {
  netplan: NETPLAN,
  networkd,
  networkmanager: networkManager,
  ifupdown,
}
