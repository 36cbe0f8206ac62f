import type { NetworkRequest } from '@c2m/plugin-api'
import { isIPv6 } from './address.js'
import { checkNetwork } from './cards.js'

/** The kernel's own name of the first Ethernet card. */
export const FIRST_CARD = 'eth0'

/**
 * interfaces(5) as both busybox and ifupdown-ng read it, which know no patterns: the first card, by the kernel's name. One
 * stanza for each family; further addresses are added once the first one is up.
 */
export function plainInterfacesFile(network: NetworkRequest, dns: readonly string[]): string {
  checkNetwork(network, dns)
  const lines = ['auto lo', 'iface lo inet loopback']
  if (network.mode === 'dhcp') lines.push('', `auto ${FIRST_CARD}`, `iface ${FIRST_CARD} inet dhcp`)
  if (network.mode === 'static') {
    lines.push('', `auto ${FIRST_CARD}`)
    for (const family of ['inet', 'inet6'] as const) {
      const isOfFamily = (address: string) => isIPv6(address) === (family === 'inet6')
      lines.push(...stanza(family, network.addresses.filter(isOfFamily), network.gateway))
    }
  }
  return `${lines.join('\n')}\n`
}

function stanza(
  family: 'inet' | 'inet6',
  addresses: readonly string[],
  gateway: string | undefined,
): readonly string[] {
  const [first, ...others] = addresses
  if (first === undefined) return []
  const [address = '', length = ''] = first.split('/')
  // busybox counts the bits of a dotted mask only
  const mask = family === 'inet' ? dotted(Number(length)) : length
  const lines = [`iface ${FIRST_CARD} ${family} static`, `\taddress ${address}`, `\tnetmask ${mask}`]
  if (gateway !== undefined && isIPv6(gateway) === (family === 'inet6')) lines.push(`\tgateway ${gateway}`)
  return [...lines, ...others.map((other) => `\tup ip address add ${other} dev $IFACE`)]
}

function dotted(length: number): string {
  const bits = '1'.repeat(length).padEnd(32, '0')
  return [0, 8, 16, 24].map((at) => Number.parseInt(bits.slice(at, at + 8), 2)).join('.')
}
