import {
  checkNetwork,
  editText,
  enableStep,
  interfacesFile,
  networkdFile,
  networkManagerFile,
  resolverSteps,
} from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import type { Release } from '../releases.js'

interface NetworkManager {
  packages(release: Release): readonly string[]
  steps(owner: string, release: Release, task: MachineTask): readonly Step[]
  readonly units: (release: Release) => readonly string[]
}

/** Ways to get addresses, the default first. */
const MANAGERS: Readonly<Record<string, NetworkManager>> = {
  networkd: {
    packages: (release) => (release.systemdPackages.resolved ? ['systemd-resolved'] : []),
    steps: networkdSteps,
    units: () => ['systemd-networkd.service', 'systemd-resolved.service'],
  },
  ifupdown: {
    packages: (release) => (release.ifupdownDhcp === undefined ? [] : ['ifupdown', release.ifupdownDhcp]),
    steps: ifupdownSteps,
    units: () => ['networking.service'],
  },
  networkmanager: {
    packages: () => ['network-manager'],
    steps: networkManagerSteps,
    units: () => ['NetworkManager.service'],
  },
}

export function networkPackages(release: Release, task: MachineTask): readonly string[] {
  return task.machine.network.mode === 'none' ? [] : managerOf(release, task).packages(release)
}

/** Network configuration, and the enabling of its units and of `more`. */
export function networkSteps(
  owner: string,
  release: Release,
  task: MachineTask,
  more: readonly string[],
): readonly Step[] {
  const { network, dns } = task.machine
  checkNetwork(network, dns)
  const manager = managerOf(release, task)
  const configured = network.mode === 'none' ? resolverSteps(owner, dns) : manager.steps(owner, release, task)
  const units = [...(network.mode === 'none' ? [] : manager.units(release)), ...more]
  return units.length === 0 ? configured : [...configured, enableStep(owner, units)]
}

function managerOf(release: Release, { machine }: MachineTask): NetworkManager {
  const id = machine.networkManager ?? 'networkd'
  const ids = Object.keys(MANAGERS).filter((one) => one !== 'ifupdown' || release.ifupdownDhcp !== undefined)
  const manager = MANAGERS[id]
  if (manager === undefined || !ids.includes(id)) {
    throw new Error(`'${id}' is no network manager for this release; there are ${ids.join(', ')}`)
  }
  return manager
}

function networkdSteps(owner: string, release: Release, { machine }: MachineTask): readonly Step[] {
  return [
    {
      id: `${owner}/network`,
      title: `write /etc/systemd/network/80-c2m.network: ${machine.network.mode}`,
      phase: 'configure',
      do: 'write',
      path: '/etc/systemd/network/80-c2m.network',
      mode: 0o644,
      content: networkdFile(machine.network, machine.dns),
    },
    {
      id: `${owner}/wait-online`,
      title: 'wait for one network card, not for all',
      phase: 'configure',
      do: 'write',
      path: '/etc/systemd/system/systemd-networkd-wait-online.service.d/c2m.conf',
      mode: 0o644,
      content: waitOnline(release),
    },
    {
      id: `${owner}/resolv.conf`,
      title: 'let systemd-resolved answer for names',
      phase: 'configure',
      do: 'symlink',
      path: '/etc/resolv.conf',
      target: release.resolvConf,
    },
  ]
}

/** --any is of systemd 242; a machine whose second card is not plugged in should not wait two minutes for it. */
function waitOnline(release: Release): string {
  const any = release.systemdPackages.timesyncd ? ' --any' : ''
  // /lib is a link to /usr/lib on later releases
  return `[Service]\nExecStart=\nExecStart=/lib/systemd/systemd-networkd-wait-online${any} --timeout=30\n`
}

function ifupdownSteps(owner: string, release: Release, { machine }: MachineTask): readonly Step[] {
  const { network, dns } = machine
  const interfaces: Step = {
    id: `${owner}/network`,
    title: `write /etc/network/interfaces: ${network.mode}`,
    phase: 'configure',
    do: 'write',
    path: '/etc/network/interfaces',
    mode: 0o644,
    content: interfacesFile(network, dns),
  }
  const keepNameServers = network.mode === 'dhcp' && dns.length > 0 ? [keepResolvConf(owner, release)] : []
  return [interfaces, ...resolverSteps(owner, dns), ...keepNameServers]
}

/** The DHCP client must not replace name servers that the user chose. */
function keepResolvConf(owner: string, release: Release): Step {
  const [path, line] =
    release.ifupdownDhcp === 'dhcpcd-base'
      ? ['etc/dhcpcd.conf', 'nohook resolv.conf']
      : ['etc/dhcp/dhclient-enter-hooks.d/c2m', 'make_resolv_conf() { :; }']
  return {
    id: `${owner}/keep-resolv.conf`,
    title: 'keep the DHCP client from changing /etc/resolv.conf',
    phase: 'configure',
    do: 'custom',
    run: ({ rootfs }) => editText(rootfs, path, (text) => (text.includes(line) ? text : `${text}${line}\n`)),
  }
}

function networkManagerSteps(owner: string, _release: Release, { machine }: MachineTask): readonly Step[] {
  return [
    {
      id: `${owner}/network`,
      title: `write NetworkManager's connection: ${machine.network.mode}`,
      phase: 'configure',
      do: 'write',
      path: '/etc/NetworkManager/system-connections/c2m.nmconnection',
      // NetworkManager ignores connections that others can read
      mode: 0o600,
      content: networkManagerFile(machine.network, machine.dns),
    },
    ...resolverSteps(owner, machine.dns),
  ]
}
