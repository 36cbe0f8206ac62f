import {
  checkNetwork,
  editText,
  networkCardsServiceSteps,
  plainInterfacesFile,
  resolverSteps,
  setAssignments,
} from '@c2m/linux'
import type { MachineTask, Step } from '@c2m/plugin-api'

const MANAGERS = ['ifupdown']

/** ifupdown-ng's, before it busybox's, with busybox's DHCP client. @throws when another network manager is asked for */
export function networkSteps(owner: string, { machine }: MachineTask): readonly Step[] {
  const { network, dns, networkManager = 'ifupdown' } = machine
  checkNetwork(network, dns)
  if (!MANAGERS.includes(networkManager)) {
    throw new Error(`'${networkManager}' is no network manager for this release; there are ${MANAGERS.join(', ')}`)
  }
  return [
    {
      id: `${owner}/network`,
      title: `write /etc/network/interfaces: ${network.mode}`,
      phase: 'configure',
      do: 'write',
      path: '/etc/network/interfaces',
      mode: 0o644,
      content: plainInterfacesFile(network, dns),
    },
    ...networkCardsServiceSteps(owner, network),
    ...resolverSteps(owner, dns),
    ...(network.mode === 'dhcp' && dns.length > 0 ? [keepResolvConf(owner)] : []),
  ]
}

/** The DHCP client must not replace name servers that the user chose; its script reads this file. */
function keepResolvConf(owner: string): Step {
  return {
    id: `${owner}/keep-resolv.conf`,
    title: 'keep the DHCP client from changing /etc/resolv.conf',
    phase: 'configure',
    do: 'custom',
    run: ({ rootfs }) =>
      editText(rootfs, 'etc/udhcpc/udhcpc.conf', (text) => setAssignments(text, { RESOLV_CONF: '"no"' })),
  }
}
