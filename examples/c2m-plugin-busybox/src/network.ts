import type { NetworkRequest } from '@c2m/plugin-api'
import { isIPv4 } from 'node:net'

/** interfaces(5) for BusyBox's ifup. Without udev the first card is always eth0. */
export function interfaces(network: NetworkRequest, hostname: string): string {
  const loopback = 'auto lo\niface lo inet loopback\n'
  if (network.mode === 'none') return loopback
  if (network.mode === 'dhcp') return `${loopback}\nauto eth0\niface eth0 inet dhcp\n\thostname ${hostname}\n`
  const { addresses, gateway } = network
  const [address = '', length = ''] = addresses[0]?.split('/') ?? []
  if (addresses.length !== 1 || !isIPv4(address) || (gateway !== undefined && !isIPv4(gateway))) {
    throw new Error(`this distribution takes one static IPv4 address, not ${addresses.join(' and ')}`)
  }
  const lines = [`iface eth0 inet static`, `\taddress ${address}`, `\tnetmask ${netmask(Number(length))}`]
  if (gateway !== undefined) lines.push(`\tgateway ${gateway}`)
  return `${loopback}\nauto eth0\n${lines.join('\n')}\n`
}

/** 24 is 255.255.255.0. */
function netmask(length: number): string {
  const bits = '1'.repeat(length).padEnd(32, '0')
  return [0, 8, 16, 24].map((at) => Number.parseInt(bits.slice(at, at + 8), 2)).join('.')
}
