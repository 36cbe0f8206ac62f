import type { NetworkRequest } from '@c2m/plugin-api'
import { isIPv6 } from './address.js'
import { checkNetwork } from './cards.js'

/** NetworkManager's keyfile (nm-settings-keyfile(5)) for every Ethernet card; it must have mode 0600. */
export function networkManagerFile(network: NetworkRequest, dns: readonly string[]): string {
  checkNetwork(network, dns)
  return `${[
    '[connection]',
    'id=c2m',
    'type=ethernet',
    '',
    '[ipv4]',
    ...family(network, dns, false),
    '',
    '[ipv6]',
    ...family(network, dns, true),
  ].join('\n')}\n`
}

function family(network: NetworkRequest, dns: readonly string[], six: boolean): readonly string[] {
  const servers = dns.filter((server) => isIPv6(server) === six)
  const named = servers.length === 0 ? [] : [`dns=${servers.map((server) => `${server};`).join('')}`]
  if (network.mode !== 'static') {
    return ['method=auto', ...named, ...(dns.length === 0 ? [] : ['ignore-auto-dns=true'])]
  }
  const addresses = network.addresses.filter((address) => isIPv6(address) === six)
  if (addresses.length === 0) return [six ? 'method=auto' : 'method=disabled', ...named]
  const { gateway } = network
  return [
    'method=manual',
    ...addresses.map((address, index) => `address${index + 1}=${address}`),
    ...(gateway !== undefined && isIPv6(gateway) === six ? [`gateway=${gateway}`] : []),
    ...named,
  ]
}
