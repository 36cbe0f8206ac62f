import { editText, interfacesFile, networkdFile, networkManagerFile, resolverSteps } from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'
import type { Release } from '../releases.js'

/** A way to get addresses. */
export interface NetworkManager {
  packages(release: Release): readonly string[]
  /** Its configuration. */
  steps(owner: string, release: Release, task: MachineTask): readonly Step[]
  /** Units to enable. */
  units(release: Release): readonly string[]
}

/** By the id that --network-manager names. */
export type NetworkManagers = Readonly<Record<string, NetworkManager>>

/** With systemd-resolved. */
export const NETWORKD: NetworkManager = {
  packages: (release) => (release.systemdPackages.resolved ? ['systemd-resolved'] : []),
  steps: (owner, release, { machine }) => [
    {
      id: `${owner}/network`,
      title: `write /etc/systemd/network/80-c2m.network: ${machine.network.mode}`,
      phase: 'configure',
      do: 'write',
      path: '/etc/systemd/network/80-c2m.network',
      mode: 0o644,
      content: networkdFile(machine.network, machine.dns),
    },
    ...networkdServiceSteps(owner, release),
  ],
  units: () => ['systemd-networkd.service', 'systemd-resolved.service'],
}

export const IFUPDOWN: NetworkManager = {
  packages: (release) => (release.ifupdownDhcp === undefined ? [] : ['ifupdown', release.ifupdownDhcp]),
  steps: (owner, release, { machine: { network, dns } }) => [
    interfacesStep(owner, network.mode, interfacesFile(network, dns)),
    ...fixedResolverSteps(owner, release, network.mode, dns),
  ],
  units: () => ['networking.service'],
}

export const NETWORK_MANAGER: NetworkManager = {
  packages: () => ['network-manager'],
  steps: (owner, _release, { machine }) => [
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
  ],
  units: () => ['NetworkManager.service'],
}

/** What systemd-networkd needs besides addresses: no waiting for cards that are not plugged in, and names through systemd-resolved. */
export function networkdServiceSteps(owner: string, release: Release): readonly Step[] {
  return [
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

export function interfacesStep(owner: string, mode: string, content: string): Step {
  return {
    id: `${owner}/network`,
    title: `write /etc/network/interfaces: ${mode}`,
    phase: 'configure',
    do: 'write',
    path: '/etc/network/interfaces',
    mode: 0o644,
    content,
  }
}

/** /etc/resolv.conf as a file, which the DHCP client must not replace when the user chose the name servers in it. */
export function fixedResolverSteps(
  owner: string,
  release: Release,
  mode: string,
  dns: readonly string[],
): readonly Step[] {
  if (mode !== 'dhcp' || dns.length === 0) return resolverSteps(owner, dns)
  const [path, line] =
    release.ifupdownDhcp === 'dhcpcd-base'
      ? ['etc/dhcpcd.conf', 'nohook resolv.conf']
      : ['etc/dhcp/dhclient-enter-hooks.d/c2m', 'make_resolv_conf() { :; }']
  const keep: Step = {
    id: `${owner}/keep-resolv.conf`,
    title: 'keep the DHCP client from changing /etc/resolv.conf',
    phase: 'configure',
    do: 'custom',
    run: ({ rootfs }) => editText(rootfs, path, (text) => (text.includes(line) ? text : `${text}${line}\n`)),
  }
  return [...resolverSteps(owner, dns), keep]
}
