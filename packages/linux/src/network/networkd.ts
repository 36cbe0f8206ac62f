import type { NetworkRequest } from '@c2m/plugin-api'
import { CARD_NAMES, checkNetwork } from './cards.js'
import { isIPv6 } from './address.js'

/**
 * systemd.network(5) for every Ethernet card; understood from systemd 232 on. With name servers of the user's own, those
 * that the network announces are not used.
 */
export function networkdFile(network: NetworkRequest, dns: readonly string[]): string {
  checkNetwork(network, dns)
  const lines = ['[Match]', `Name=${CARD_NAMES.join(' ')}`, '', '[Network]']
  if (network.mode === 'dhcp') lines.push('DHCP=yes')
  if (network.mode === 'static') {
    lines.push(...network.addresses.map((address) => `Address=${address}`))
    if (network.gateway !== undefined) lines.push(`Gateway=${network.gateway}`)
    if (network.addresses.some(isIPv6)) lines.push('IPv6AcceptRA=no')
  }
  lines.push(...dns.map((server) => `DNS=${server}`))
  if (network.mode === 'dhcp' && dns.length > 0)
    lines.push('', '[DHCP]', 'UseDNS=no', '', '[IPv6AcceptRA]', 'UseDNS=no')
  return `${lines.join('\n')}\n`
}
