import type { NetworkRequest } from '@c2m/plugin-api'
import { isIPv6 } from './address.js'
import { CARD_NAMES, checkNetwork } from './cards.js'

/**
 * interfaces(5) for every Ethernet card, by patterns (ifupdown 0.8.20 and later) with one logical interface. Static
 * addresses can only be given to one card: the first that matches.
 */
export function interfacesFile(network: NetworkRequest, dns: readonly string[]): string {
  checkNetwork(network, dns)
  const lines = ['source /etc/network/interfaces.d/*', '', 'auto lo', 'iface lo inet loopback']
  if (network.mode === 'dhcp') {
    lines.push('', ...CARD_NAMES.map((name) => `auto /${name}=c2m`), 'iface c2m inet dhcp')
  }
  if (network.mode === 'static') {
    lines.push('', ...CARD_NAMES.map((name) => `auto /${name}/1=c2m`))
    for (const [index, address] of network.addresses.entries()) {
      const family = isIPv6(address) ? 'inet6' : 'inet'
      lines.push(`iface c2m ${family} static`, `    address ${address}`)
      const { gateway } = network
      const first = network.addresses.findIndex((other) => isIPv6(other) === isIPv6(address)) === index
      if (gateway !== undefined && first && isIPv6(gateway) === isIPv6(address)) lines.push(`    gateway ${gateway}`)
    }
  }
  return `${lines.join('\n')}\n`
}
